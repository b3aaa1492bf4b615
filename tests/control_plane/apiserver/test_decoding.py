from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.errors import ApiError
from k8slab.client import MERGE_PATCH, STRATEGIC_PATCH, Notes

TYPO: dict[str, Any] = {"metadata": {"name": "c", "lables": {"a": "b"}}, "daata": {}}
TWICE = '{"metadata": {"name": "q", "name": "r"}, "data": {"a": "1", "a": "2"}}'


def test_a_field_that_kubernetes_does_not_have_is_refused_when_strict(lab: Any) -> None:
    with pytest.raises(ApiError) as refused:
        lab.request("create", "ConfigMap", body=TYPO, field_validation="Strict")
    assert refused.value.code == 400
    assert refused.value.message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'unknown field "metadata.lables", unknown field "daata"'
    )


def test_otherwise_it_is_left_out_with_a_warning_or_without(lab: Any) -> None:
    notes = Notes()
    made = lab.request("create", "ConfigMap", body=TYPO, field_validation="Warn", notes=notes)
    assert made.metadata.name == "c"
    assert notes.warnings == ['unknown field "metadata.lables"', 'unknown field "daata"']
    quiet = Notes()
    body = {"metadata": {"name": "d"}, "daata": {}}
    lab.request("create", "ConfigMap", body=body, field_validation="Ignore", notes=quiet)
    assert quiet.warnings == []


def test_a_wrong_type_is_refused_however_lenient(lab: Any) -> None:
    body = {"metadata": {"name": True}, "daata": {}}
    with pytest.raises(ApiError, match="cannot unmarshal bool into Go struct field ObjectMeta"):
        lab.request("create", "ConfigMap", body=body, field_validation="Ignore")


def test_a_key_that_comes_twice_is_a_duplicate_field_and_the_last_one_counts(lab: Any) -> None:
    notes = Notes()
    made = lab.request("create", "ConfigMap", body=TWICE, field_validation="Warn", notes=notes)
    assert (made.metadata.name, made.data) == ("r", {"a": "2"})
    assert notes.warnings == ['duplicate field "metadata.name"', 'duplicate field "data.a"']


def test_yaml_is_read_too_and_its_duplicates_have_lines(lab: Any) -> None:
    text = "metadata:\n  name: q\ndata:\n  a: x\n  a: z\n"
    with pytest.raises(ApiError) as refused:
        lab.request("create", "ConfigMap", body=text)
    assert refused.value.message.endswith(
        'strict decoding error: yaml: unmarshal errors:\n  line 5: key "a" already set in map'
    )


def test_an_object_of_another_kind_cannot_be_converted(lab: Any) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}
    with pytest.raises(ApiError) as refused:
        lab.request("create", "ConfigMap", body=body)
    assert refused.value.message == (
        'Secret in version "v1" cannot be handled as a ConfigMap: '
        "converting (v1.Secret) to (core.ConfigMap): unknown conversion"
    )


@pytest.mark.parametrize(
    ("patch_type", "quoted"),
    [(MERGE_PATCH, '\\"nope\\":1'), (STRATEGIC_PATCH, "map[nope:1]")],
)
def test_a_patch_with_an_unknown_field_is_invalid_when_strict(
    lab: Any, patch_type: str, quoted: str
) -> None:
    lab.request("create", "ConfigMap", body={"metadata": {"name": "c"}})
    with pytest.raises(ApiError) as refused:
        lab.patch("ConfigMap", "c", {"nope": 1}, patch_type)
    assert refused.value.code == 422
    assert refused.value.message.startswith(' "" is invalid: patch: Invalid value: ')
    assert quoted in refused.value.message
    assert refused.value.message.endswith('strict decoding error: unknown field "nope"')


def test_what_is_allowed_and_doubtful_gets_a_warning(lab: Any, pod: Any) -> None:
    notes = Notes()
    manifest = pod("a.b")
    manifest["spec"]["containers"][0]["env"] = [{"name": "A"}, {"name": "A"}]
    lab.create(manifest, notes=notes)
    assert notes.warnings[0] == (
        'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when '
        "using apply"
    )
    assert notes.warnings[1].endswith("a DNS label is recommended: [must not contain dots]")
