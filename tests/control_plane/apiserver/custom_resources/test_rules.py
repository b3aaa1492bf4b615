"""Rules in CEL on the objects of a defined kind."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.errors import ApiError
from k8slab.client import MERGE_PATCH
from tests.control_plane.apiserver.custom_resources.conftest import CrdLab, version

RULES: dict[str, Any] = {
    "x-kubernetes-validations": [
        {"rule": "self.low <= self.high", "message": "low must not be more than high"},
        {"rule": "self.high < 100"},
    ],
    "properties": {
        "low": {"type": "integer"},
        "high": {"type": "integer"},
        "word": {
            "type": "string",
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "it is immutable"}],
        },
        "parts": {
            "type": "object",
            "additionalProperties": {
                "type": "string",
                "x-kubernetes-validations": [
                    {
                        "rule": "size(self) < 3",
                        "messageExpression": "'too long: ' + self",
                        "reason": "FieldValueForbidden",
                    }
                ],
            },
        },
    },
}


def refused(crds: CrdLab, **spec: Any) -> str:
    with pytest.raises(ApiError) as error:
        crds.cron_tab(**spec)
    return error.value.message


def test_a_broken_rule_refuses_the_object(crds: CrdLab) -> None:
    crds.define(version(spec=RULES))
    crds.cron_tab("good", low=1, high=2)
    assert refused(crds, low=3, high=2).endswith(
        'is invalid: spec: Invalid value: "object": low must not be more than high'
    )
    assert 'spec: Invalid value: "object": failed rule: self.high < 100' in refused(
        crds, low=1, high=100
    )


def test_a_rule_that_cannot_be_computed_refuses_too(crds: CrdLab) -> None:
    crds.define(version(spec=RULES))
    said = 'spec: Invalid value: "object": no such key: low evaluating rule: low must not be more'
    assert said in refused(crds, high=1)


def test_a_rule_about_a_change_is_asked_of_changes_only(crds: CrdLab) -> None:
    crds.define(version(spec=RULES))
    crds.cron_tab(low=1, high=2, word="x")
    with pytest.raises(ApiError, match=r'spec\.word: Invalid value: "string": it is immutable'):
        crds.ask("patch", "mine", body={"spec": {"word": "y"}}, patch_type=MERGE_PATCH)


def test_the_message_may_be_computed_and_the_reason_chosen(crds: CrdLab) -> None:
    crds.define(version(spec=RULES))
    assert "spec.parts[a]: Forbidden: too long: abcd" in refused(
        crds, low=1, high=2, parts={"a": "abcd"}
    )


def test_rules_wait_until_the_schema_is_content(crds: CrdLab) -> None:
    crds.define(version(spec=RULES))
    assert refused(crds, low="x", high=1).endswith(
        "<nil>: Invalid value: null: some validation rules were not checked because the object was "
        "invalid; correct the existing errors to complete validation]"
    )


def test_what_was_there_before_a_rule_is_not_held_against_an_update(crds: CrdLab) -> None:
    crds.define()
    crds.cron_tab(low=3, high=2)
    crds.redefine(version(spec=RULES))
    labels = {"metadata": {"labels": {"a": "b"}}}
    assert crds.ask("patch", "mine", body=labels, patch_type=MERGE_PATCH).metadata.labels
    with pytest.raises(ApiError, match="low must not be more"):
        crds.ask("patch", "mine", body={"spec": {"low": 4}}, patch_type=MERGE_PATCH)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"rule": ""}, "validations[0].rule: Required value: rule is not specified"),
        ({"rule": "self.a <"}, "compilation failed: ERROR: <input>:1:9: Syntax error: mismatched"),
        ({"rule": "selv.a"}, "undeclared reference to 'selv' (in container '')\n | selv.a\n | ^"),
        ({"rule": "true", "reason": "Odd"}, 'validations[0].reason: Unsupported value: "Odd"'),
        ({"rule": "true", "message": "a\nb"}, "message must not contain line breaks"),
    ],
)
def test_a_definition_with_a_bad_rule_is_refused(
    crds: CrdLab, rule: dict[str, str], problem: str
) -> None:
    with pytest.raises(ApiError) as error:
        crds.define(version(spec={"x-kubernetes-validations": [rule]}))
    assert problem in error.value.message
