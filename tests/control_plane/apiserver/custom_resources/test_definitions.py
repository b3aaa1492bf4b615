"""What a definition must be, the names it gets, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import codec, load
from k8slab.api.errors import ApiError
from k8slab.control_plane.apiserver.custom_resources.naming import defaulted
from k8slab.control_plane.apiserver.validation import validate
from tests.control_plane.apiserver.custom_resources.conftest import (
    CrdLab,
    definition,
    schema,
    version,
)


def problems(crd: dict[str, Any]) -> list[str]:
    return [str(error) for error in validate(defaulted(load(crd)))]  # type: ignore[arg-type]


def conditions(crd: Any) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status, c.reason) for c in crd.status.conditions}


def test_a_good_definition_has_no_problems() -> None:
    assert problems(definition()) == []


@pytest.mark.parametrize(
    ("crd", "problem"),
    [
        (definition(group="example"), 'spec.group: Invalid value: "example": should be a domain'),
        (definition(scope="Galaxy"), 'spec.scope: Unsupported value: "Galaxy": supported values: '),
        (definition(names={"plural": "Tabs"}), 'spec.names.plural: Invalid value: "Tabs": a DNS-1'),
        (definition(names={"listKind": "CronTab"}), "kind and listKind may not be the same"),
        (definition(version(storage=False)), "must have exactly one version marked as storage"),
        (definition(version(), version(storage=False)), "must contain unique version names"),
        (definition({"name": "v1", "served": True, "storage": True}), "schemas are required"),
        (
            definition(group="x.k8s.io"),
            "metadata.annotations[api-approved.kubernetes.io]: Required",
        ),
        (definition(preserveUnknownFields=True), "spec.preserveUnknownFields: Invalid value: true"),
        (
            definition(version(deprecationWarning="old")),
            "spec.versions[0].deprecationWarning: Invalid value",
        ),
        (
            definition(version(additionalPrinterColumns=[{"name": "A", "type": "text"}])),
            'additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,',
        ),
        (
            definition(version(subresources={"scale": {"specReplicasPath": ".size"}})),
            "should be a json path under .spec",
        ),
    ],
)
def test_a_definition_must_be_what_upstream_wants(crd: dict[str, Any], problem: str) -> None:
    assert any(problem in text for text in problems(crd)), problems(crd)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            {"properties": {"a": {}}},
            "spec].properties[a].type: Required value: must not be empty for",
        ),
        (
            {"properties": {"a": {"type": "array"}}},
            "properties[a].items: Required value: must be sp",
        ),
        ({"properties": {"a": {"type": "text"}}}, 'Unsupported value: "text": supported values: '),
        (
            {"properties": {"a": {"type": "array", "items": {}}}},
            "items.type: Required value: must not be empty for specified array items",
        ),
        (
            {"properties": {"a": {"type": "object"}}, "additionalProperties": {"type": "string"}},
            "additionalProperties and properties are mutual exclusive",
        ),
        (
            {"anyOf": [{"properties": {"a": {"type": "string"}}}]},
            "anyOf[0].properties[a].type: Forbidden: must be empty to be structural",
        ),
        ({"x-kubernetes-list-type": "set"}, "must be array if x-kubernetes-list-type is specified"),
        (
            {
                "properties": {
                    "a": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "items": {"type": "object", "properties": {"n": {"type": "string"}}},
                    }
                }
            },
            "x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes",
        ),
        (
            {"properties": {"a": {"type": "integer", "default": "x"}}},
            'properties[a].default: Invalid value: "string": ',
        ),
        ({"properties": {"a": {"type": "string", "pattern": "("}}}, "must be a valid regular expr"),
    ],
)
def test_a_schema_must_be_structural(spec: dict[str, Any], problem: str) -> None:
    found = problems(definition(version(spec=spec)))
    assert any(problem in text for text in found), found


def test_the_root_of_a_schema_is_an_object_without_more() -> None:
    crd = definition(version(schema={"type": "string"}))
    assert any("must be object at the root" in text for text in problems(crd))


def test_what_a_status_would_not_hear_is_not_said_at_the_root() -> None:
    odd = {**schema({"x-kubernetes-preserve-unknown-fields": True}), "minProperties": 1}
    found = problems(definition(version(schema=odd, subresources={"status": {}})))
    assert any("only [Description Type Format Title Maximum " in text for text in found), found


def test_names_are_accepted_and_the_kind_established(crds: CrdLab) -> None:
    crd = crds.define()
    assert conditions(crd) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert crd.status.acceptedNames.listKind == "CronTabList"
    assert crd.status.storedVersions == ("v1",)


def test_a_name_that_is_taken_is_refused_until_it_is_free(crds: CrdLab) -> None:
    crds.define(names={"shortNames": ["ct"]})
    other = {"plural": "cranes", "kind": "Crane", "shortNames": ["ct"]}
    second = crds.define(names=other)
    assert conditions(second)["NamesAccepted"] == ("False", "ShortNamesConflict")
    assert conditions(second)["Established"] == ("False", "NotAccepted")
    with pytest.raises(ApiError, match="could not find the requested resource"):
        crds.ask("list", plural="cranes")
    crds.request("delete", "CustomResourceDefinition", "crontabs.stable.example.com")
    crds.settle()
    second = crds.get("CustomResourceDefinition", "cranes.stable.example.com")
    assert conditions(second)["Established"][0] == "True"


def test_scope_and_names_never_change_once_established(crds: CrdLab) -> None:
    crds.define()
    with pytest.raises(
        ApiError, match=r'spec\.scope: Invalid value: "Cluster": field is immutable'
    ):
        crds.redefine(scope="Cluster")


def test_a_version_that_objects_are_stored_in_stays(crds: CrdLab) -> None:
    crds.define()
    with pytest.raises(ApiError, match="v1 was previously a storage version, and must remain"):
        crds.redefine(version("v2"))


def test_deleting_a_definition_deletes_its_objects_first(crds: CrdLab) -> None:
    crds.define()
    crds.cron_tab()
    marked = crds.request("delete", "CustomResourceDefinition", "crontabs.stable.example.com")
    assert marked.metadata.finalizers == ("customresourcecleanup.apiextensions.k8s.io",)
    assert conditions(marked)["Terminating"] == ("True", "InstanceDeletionPending")
    with pytest.raises(ApiError, match="create not allowed while custom resource definition is"):
        crds.cron_tab("late")
    crds.settle()
    with pytest.raises(ApiError, match="the server could not find the requested resource"):
        crds.ask("list")
    with pytest.raises(ApiError, match="not found"):
        crds.get("CustomResourceDefinition", "crontabs.stable.example.com")


def test_an_object_with_a_finalizer_holds_its_definition(crds: CrdLab) -> None:
    crds.define()
    crds.cron_tab()
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}
    crds.ask("patch", "mine", body=hold, patch_type="application/merge-patch+json")
    crds.request("delete", "CustomResourceDefinition", "crontabs.stable.example.com")
    crds.settle(30)
    held = crds.get("CustomResourceDefinition", "crontabs.stable.example.com")
    assert conditions(held)["Terminating"] == ("True", "InstanceDeletionInProgress")
    free = {"metadata": {"finalizers": None}}
    crds.ask("patch", "mine", body=free, patch_type="application/merge-patch+json")
    crds.settle(10)
    assert not crds.request("list", "CustomResourceDefinition").items


def test_an_approved_group_says_so(crds: CrdLab) -> None:
    url = "https://github.com/kubernetes/enhancements/pull/1111"
    crd = crds.define(group="lab.k8s.io", annotations={"api-approved.kubernetes.io": url})
    found = conditions(crd)["KubernetesAPIApprovalPolicyConformant"]
    assert found == ("True", "ApprovedAnnotation")


def test_a_definition_survives_a_restart_of_the_server(crds: CrdLab) -> None:
    crds.define()
    crds.cron_tab()
    crds.cron_tab("gone")
    crds.server.stop()
    crds.backend.forget("/registry/stable.example.com/crontabs/default/gone")
    crds.server.start()
    assert [o.metadata.name for o in crds.ask("list").items] == ["mine"]


def test_schemas_are_kept_as_they_were_written(crds: CrdLab) -> None:
    wanted = schema({"properties": {"a": {"type": "string", "x-kubernetes-int-or-string": True}}})
    wanted["properties"]["spec"]["properties"]["a"].pop("type")
    crd = crds.define(version(schema=wanted))
    stored = codec.to_dict(crd)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert stored == wanted
