from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.control_plane.apiserver.field_sets import difference, intersection, union
from tests.gateway.conftest import CONFIG_MAPS, Lab

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d"},
    "spec": {
        "selector": {"matchLabels": {"app": "d"}},
        "template": {
            "metadata": {"labels": {"app": "d"}},
            "spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]},
        },
    },
}
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
APPLY = "application/apply-patch+yaml"


def owners(obj) -> dict[str, str]:
    return {entry["manager"]: entry["operation"] for entry in obj["metadata"]["managedFields"]}


def test_what_is_applied_to_nothing_is_created(lab) -> None:
    code, made = lab.apply("c", "one", {"a": "1"})
    assert code == 201
    assert made["metadata"]["managedFields"][0]["fieldsV1"] == {"f:data": {"f:a": {}}}


def test_applying_the_same_again_changes_nothing(lab) -> None:
    _, made = lab.apply("c", "one", {"a": "1"})
    code, again = lab.apply("c", "one", {"a": "1"})
    assert code == 200
    assert again == made


def test_what_is_no_longer_applied_is_removed_unless_others_want_it(lab) -> None:
    lab.apply("c", "one", {"a": "1", "b": "1"})
    lab.apply("c", "two", {"b": "1"})
    _, left = lab.apply("c", "one", {})
    assert left["data"] == {"b": "1"}


def test_what_another_manager_wants_otherwise_is_a_conflict(lab) -> None:
    lab.apply("c", "one", {"a": "1"})
    code, status = lab.apply("c", "two", {"a": "2"})
    assert code == 409
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    assert status["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "one"',
            "field": ".data.a",
        }
    ]


def test_force_takes_the_field_away_from_its_owner(lab) -> None:
    lab.apply("c", "one", {"a": "1"})
    code, taken = lab.apply("c", "two", {"a": "2"}, "&force=true")
    assert (code, taken["data"], owners(taken)) == (200, {"a": "2"}, {"two": "Apply"})


def test_an_ordinary_write_owns_what_it_changes(lab) -> None:
    lab.apply("c", "one", {"a": "1", "b": "1"})
    patch = {"data": {"a": "9"}}
    kind = "application/merge-patch+json"
    url = f"{CONFIG_MAPS}/c?fieldManager=edit"
    _, changed = lab.answer("PATCH", url, patch, content_type=kind)
    assert owners(changed) == {"one": "Apply", "edit": "Update"}
    code, status = lab.apply("c", "one", {"a": "1", "b": "1"})
    assert code == 409
    assert 'conflict with "edit" using v1 at 2026-01-01T00:00:00Z: .data.a' in status["message"]


def test_a_client_that_names_no_manager_is_known_by_its_program(lab) -> None:
    body = {"metadata": {"name": "c"}, "data": {"a": "1"}}
    _, made = lab.answer("POST", CONFIG_MAPS, body, user_agent="curl/8.0")
    assert owners(made) == {"curl": "Update"}
    assert made["metadata"]["managedFields"][0]["fieldsV1"] == {"f:data": {".": {}, "f:a": {}}}


def test_containers_are_told_apart_by_their_names(lab) -> None:
    url = f"{DEPLOYMENTS}/d?fieldManager="
    lab.answer("PATCH", f"{url}one", DEPLOYMENT, content_type=APPLY)
    sidecar = {
        **DEPLOYMENT,
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "c:1"}]}}},
    }
    _, both = lab.answer("PATCH", f"{url}two", sidecar, content_type=APPLY)
    names = [c["name"] for c in both["spec"]["template"]["spec"]["containers"]]
    assert names == ["a", "b", "c"]
    _, without = lab.answer(
        "PATCH",
        f"{url}two",
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}},
        content_type=APPLY,
    )
    assert [c["name"] for c in without["spec"]["template"]["spec"]["containers"]] == ["a", "b"]


def test_the_status_is_owned_apart_from_the_object(lab) -> None:
    lab.answer("PATCH", f"{DEPLOYMENTS}/d?fieldManager=one", DEPLOYMENT, content_type=APPLY)
    status = {**DEPLOYMENT, "spec": {}, "status": {"collisionCount": 3}}
    url = f"{DEPLOYMENTS}/d/status?fieldManager=st"
    _, changed = lab.answer("PATCH", url, status, content_type=APPLY)
    entries = changed["metadata"]["managedFields"]
    assert [(e["manager"], e.get("subresource", "")) for e in entries] == [
        ("one", ""),
        ("st", "status"),
    ]


def test_dry_runs_store_nothing(lab) -> None:
    code, made = lab.apply("c", "one", {"a": "1"}, "&dryRun=All")
    assert (code, made["data"]) == (201, {"a": "1"})
    assert lab.answer("GET", f"{CONFIG_MAPS}/c")[0] == 404


DATA = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)
STEPS = st.lists(st.tuples(st.sampled_from(["one", "two"]), DATA), max_size=6)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_after_a_forced_apply_the_object_has_what_was_applied(steps) -> None:
    lab = Lab()
    for manager, data in steps:
        _, obj = lab.apply("c", manager, data, "&force=true")
        assert {k: obj.get("data", {}).get(k) for k in data} == data
        mine = [e for e in obj["metadata"].get("managedFields", ()) if e["manager"] == manager]
        owned = mine[0]["fieldsV1"]["f:data"] if mine else {}
        assert {key.removeprefix("f:") for key in owned} == set(data)


SETS = st.recursive(
    st.just({}),
    lambda inner: st.dictionaries(st.sampled_from(["f:a", "f:b", "."]), inner, max_size=3).map(
        lambda tree: {k: ({} if k == "." else v) for k, v in tree.items()}
    ),
    max_leaves=8,
)
TREES = st.dictionaries(st.sampled_from(["f:a", "f:b"]), SETS, max_size=2)


def members(tree, prefix=()) -> set[tuple[str, ...]]:
    found = set()
    for element, below in tree.items():
        here = prefix if element == "." else (*prefix, element)
        found |= members(below, here) if below else {here}
    return found


@given(TREES, TREES)
def test_sets_of_fields_behave_as_sets(one, other) -> None:
    a, b = members(one), members(other)
    assert members(union(one, other)) == a | b
    assert members(difference(one, other)) == a - b
    assert members(intersection(one, other)) == a & b
