"""Objects of kinds that somebody defined: served, pruned, defaulted, validated, patched."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import codec
from k8slab.api.apiextensions import CustomResourceColumnDefinition
from k8slab.api.errors import ApiError
from k8slab.client import APPLY_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Notes
from k8slab.control_plane.apiserver.custom_resources import columns
from tests.control_plane.apiserver.custom_resources.conftest import CrdLab, schema, version

SPEC = {
    "required": ["cronSpec"],
    "properties": {
        "cronSpec": {"type": "string", "pattern": r"^\S+( \S+){4}$"},
        "replicas": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
        "image": {"type": "string"},
    },
}
CRON = "* * * * */5"


def full(**more: Any) -> dict[str, Any]:
    return version(
        spec=SPEC,
        subresources={
            "status": {},
            "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.size"},
        },
        schema=schema(SPEC, status={"type": "object", "properties": {"size": {"type": "integer"}}}),
        **more,
    )


def test_defaults_come_from_the_schema(crds: CrdLab) -> None:
    crds.define(full())
    made = crds.cron_tab(cronSpec=CRON)
    assert made.spec == {"cronSpec": CRON, "replicas": 1}
    assert made.metadata.generation == 1


def test_nobody_can_change_a_stored_object(crds: CrdLab) -> None:
    crds.define(full())
    with pytest.raises(TypeError, match="objects are values"):
        crds.cron_tab(cronSpec=CRON).spec["cronSpec"] = "never"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({}, "spec.cronSpec: Required value"),
        (
            {"cronSpec": "*"},
            'spec.cronSpec: Invalid value: "*": spec.cronSpec in body should match \'^\\S+( \\S+)',
        ),
        (
            {"cronSpec": CRON, "replicas": 11},
            "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal",
        ),
        (
            {"cronSpec": CRON, "replicas": "2"},
            'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer'
            ': "string"',
        ),
    ],
)
def test_values_are_refused_in_upstreams_words(crds: CrdLab, spec: Any, why: str) -> None:
    crds.define(full())
    with pytest.raises(ApiError) as refused:
        crds.cron_tab(**spec)
    assert refused.value.code == 422
    assert refused.value.message.startswith('CronTab.stable.example.com "mine" is invalid: ')
    assert why in refused.value.message


def test_an_unknown_field_is_refused_or_pruned(crds: CrdLab) -> None:
    crds.define(full())
    said = 'strict decoding error: unknown field "spec.colour"'
    with pytest.raises(ApiError, match=said):
        crds.cron_tab(cronSpec=CRON, colour="red")
    body = {"metadata": {"name": "mine"}, "spec": {"cronSpec": CRON, "colour": "red"}}
    notes = Notes()
    made = crds.ask("create", body=body, field_validation="Warn", notes=notes)
    assert notes.warnings == ['unknown field "spec.colour"']
    assert "colour" not in made.spec


def test_the_status_is_written_on_its_own(crds: CrdLab) -> None:
    crds.define(full())
    crds.cron_tab(cronSpec=CRON)
    body = {"spec": {"replicas": 5}, "status": {"size": 3}}
    both: dict[str, Any] = {"body": body, "patch_type": MERGE_PATCH}
    assert crds.ask("patch", "mine", **both).status is None
    body["spec"]["replicas"] = 7
    told = crds.ask("patch", "mine", subresource="status", **both)
    assert (told.spec["replicas"], told.status, told.metadata.generation) == (5, {"size": 3}, 2)


def test_without_the_subresource_the_status_is_a_field_like_others(crds: CrdLab) -> None:
    crds.define()
    crds.cron_tab()
    with pytest.raises(ApiError, match="could not find the requested resource"):
        crds.ask("get", "mine", subresource="status")
    body = {"status": {"size": 3}}
    told = crds.ask("patch", "mine", body=body, patch_type=MERGE_PATCH, field_validation="Ignore")
    assert told.metadata.generation == 2


def test_scale_reads_and_writes_where_the_definition_says(crds: CrdLab) -> None:
    crds.define(full())
    crds.cron_tab(cronSpec=CRON, replicas=2)
    body = {"spec": {"replicas": 4}}
    crds.ask("patch", "mine", subresource="scale", body=body, patch_type=MERGE_PATCH)
    assert crds.ask("get", "mine").spec["replicas"] == 4
    assert crds.ask("get", "mine", subresource="scale").spec.replicas == 4


def test_columns_are_those_of_the_definition(crds: CrdLab) -> None:
    shown = [
        {"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec"},
        {"name": "Wanted", "type": "integer", "jsonPath": ".spec.replicas"},
        {"name": "Image", "type": "string", "jsonPath": ".spec.image", "priority": 1},
    ]
    crds.define(full(additionalPrinterColumns=shown))
    crds.cron_tab(cronSpec=CRON)
    table = crds.ask("list", as_table=True)
    assert [c.name for c in table.columnDefinitions] == ["Name", "Spec", "Wanted", "Image"]
    assert table.rows[0].cells == ("mine", CRON, 1, None)


@pytest.mark.parametrize(
    ("type", "value", "cell"),
    [
        ("string", "x", "x"),
        ("string", ["x"], '["x"]'),
        ("integer", 2.0, 2),
        ("integer", "2", None),
        ("number", 2, 2.0),
        ("boolean", True, True),
        ("date", "2026-01-01T00:00:00Z", "90s"),
        ("date", "yesterday", "<invalid>"),
        ("date", 5, None),
    ],
)
def test_cells_are_shown_by_the_type_of_their_column(type: str, value: Any, cell: Any) -> None:
    column = CustomResourceColumnDefinition(name="C", type=type, jsonPath=".c")
    assert columns.cell(column, value, 90.0) == cell


def test_a_field_selector_finds_selectable_fields_only(crds: CrdLab) -> None:
    crds.define(full(selectableFields=[{"jsonPath": ".spec.image"}]))
    crds.cron_tab("a", cronSpec=CRON, image="x")
    crds.cron_tab("b", cronSpec=CRON)
    found = crds.ask("list", field_selector="spec.image=x").items
    assert [obj.metadata.name for obj in found] == ["a"]
    with pytest.raises(ApiError, match=r"field label not supported: spec\.replicas"):
        crds.ask("list", field_selector="spec.replicas=1")


def test_strategic_merge_is_not_for_defined_kinds(crds: CrdLab) -> None:
    crds.define()
    crds.cron_tab()
    with pytest.raises(ApiError) as refused:
        crds.ask("patch", "mine", body={"spec": {}}, patch_type=STRATEGIC_PATCH)
    assert refused.value.code == 415
    assert refused.value.message.endswith(
        "application/merge-patch+json, application/apply-patch+yaml"
    )


def apply(crds: CrdLab, manager: str, spec: dict[str, Any], **fields: Any) -> Any:
    body = {
        "apiVersion": "stable.example.com/v1",
        "kind": "CronTab",
        "metadata": {"name": "mine"},
        "spec": spec,
    }
    return crds.ask(
        "patch", "mine", body=body, patch_type=APPLY_PATCH, field_manager=manager, **fields
    )


LISTS = {
    "properties": {
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "port": {"type": "integer"}},
            },
        },
        "words": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "whole": {"type": "array", "items": {"type": "integer"}},
    }
}


def test_apply_merges_lists_as_the_schema_says(crds: CrdLab) -> None:
    crds.define(version(spec=LISTS))
    apply(crds, "one", {"ports": [{"name": "a", "port": 1}], "words": ["x"], "whole": [1]})
    mine = {"ports": [{"name": "b", "port": 2}], "words": ["y"]}
    merged = apply(crds, "two", mine)
    assert codec.to_dict(merged)["spec"] == {
        "ports": ({"name": "a", "port": 1}, {"name": "b", "port": 2}),
        "words": ("x", "y"),
        "whole": (1,),
    }
    with pytest.raises(ApiError, match=r'conflict with "one": \.spec\.whole'):
        apply(crds, "two", {**mine, "whole": [2]})
    without = apply(crds, "one", {"words": ["x"], "whole": [1]})
    assert without.spec["ports"] == ({"name": "b", "port": 2},)


def test_applying_an_undeclared_field_is_refused(crds: CrdLab) -> None:
    crds.define(version(spec=LISTS))
    with pytest.raises(ApiError, match=r"\.spec\.colour: field not declared in schema"):
        apply(crds, "one", {"colour": "red"})


def test_duplicates_in_sets_and_maps_are_refused(crds: CrdLab) -> None:
    crds.define(version(spec=LISTS))
    with pytest.raises(ApiError) as refused:
        crds.cron_tab(words=["x", "x"], ports=[{"name": "a"}, {"name": "a", "port": 1}])
    assert 'spec.words[1]: Duplicate value: "x"' in refused.value.message
    assert 'spec.ports[1]: Duplicate value: {"name":"a"}' in refused.value.message


def test_an_object_is_served_in_all_versions(crds: CrdLab) -> None:
    crds.define(version("v1beta1", storage=False), full())
    crds.cron_tab(cronSpec=CRON)
    old = crds.ask("get", "mine", version="v1beta1")
    assert (old.apiVersion, old.spec["cronSpec"]) == ("stable.example.com/v1beta1", CRON)
    assert crds.ask("get", "mine").apiVersion == "stable.example.com/v1"


def test_a_deprecated_version_warns(crds: CrdLab) -> None:
    crds.define(version("v1beta1", storage=False, deprecated=True), full())
    notes = Notes()
    crds.ask("list", version="v1beta1", notes=notes)
    assert notes.warnings == ["stable.example.com/v1beta1 CronTab is deprecated"]


def test_a_new_schema_is_seen_at_the_next_read(crds: CrdLab) -> None:
    crds.define()
    crds.cron_tab(cronSpec=CRON, colour="red")
    stream = crds.ask("watch", resource_version="1")
    crds.redefine(full())
    assert stream.closed
    assert crds.ask("get", "mine").spec == {"cronSpec": CRON, "replicas": 1}
    assert crds.ask("list").items[0].spec == {"cronSpec": CRON, "replicas": 1}


def test_what_an_update_leaves_alone_is_not_held_against_it(crds: CrdLab) -> None:
    crds.define()
    crds.cron_tab(cronSpec="bad")
    crds.redefine(full())
    body = {"spec": {"image": "x"}}
    changed = crds.ask("patch", "mine", body=body, patch_type=MERGE_PATCH)
    assert changed.spec["image"] == "x"
    body = {"spec": {"cronSpec": "worse"}}
    with pytest.raises(ApiError, match="should match"):
        crds.ask("patch", "mine", body=body, patch_type=MERGE_PATCH)


def test_a_kind_may_be_called_as_a_built_in_one(crds: CrdLab) -> None:
    crds.define(names={"plural": "services", "kind": "Service"}, group="serving.example.com")
    body = {"metadata": {"name": "a.b"}, "spec": {"template": {}}}
    made = crds.ask("create", plural="services", group="serving.example.com", body=body)
    assert made.apiVersion == "serving.example.com/v1"
    assert [
        c.name
        for c in crds.ask(
            "list", plural="services", group="serving.example.com", as_table=True
        ).columnDefinitions
    ] == ["Name", "Age"]


def test_a_watch_tells_of_defined_kinds(crds: CrdLab) -> None:
    crds.define()
    stream = crds.ask("watch", resource_version=crds.ask("list").resource_version)
    crds.cron_tab()
    crds.ask("delete", "mine")
    events: list[Any] = []

    async def read() -> None:
        while len(events) < 2:
            events.extend(await stream.batch())

    crds.sim.complete(read(), "reader", 5)
    assert [event.type for event in events] == ["ADDED", "DELETED"]


def test_another_version_in_the_body_is_refused(crds: CrdLab) -> None:
    crds.define()
    why = r"the API version in the data \(stable.example.com/v2\) does not match the expected API"
    with pytest.raises(ApiError, match=why):
        crds.ask("create", body={"apiVersion": "stable.example.com/v2", "kind": "CronTab"})
