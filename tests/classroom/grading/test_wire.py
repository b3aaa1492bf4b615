"""Data, objects and a few structs cross over to a kernel and back; nothing else does."""

from typing import Any

import pytest

from k8slab.api import load
from k8slab.classroom.grading.wire import plain, restored
from k8slab.control_plane.controllers.replica_set import Plan
from k8slab.sim import Record

POD = load({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"a": "b"}}})


@pytest.mark.parametrize(
    "value",
    [
        3,
        "x",
        [1, [2.5, None]],
        {"a": {"b": True}},
        {("a", 1): [POD]},
        Record(1, 2.0, "you", "create", "Pod/default/web", 0),
        Plan(create=2),
    ],
    ids=repr,
)
def test_what_is_sent_arrives(value: Any) -> None:
    arrived = restored(plain(value))
    assert plain(arrived) == plain(value)
    assert type(arrived) is type(value)


def test_a_plan_takes_its_pods_along() -> None:
    assert list(restored(plain(Plan(delete=(POD,)))).delete) == [POD]  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [object(), open, {"f": print}])
def test_what_is_no_data_stays_where_it_is(value: Any) -> None:
    with pytest.raises(TypeError):
        plain(value)


@pytest.mark.parametrize(
    "value",
    [
        {"$struct": "Popen", "fields": {}},
        {"$struct": "Plan", "fields": {"no": 1}},
        {"$struct": [], "fields": {}},
        {"$struct": "Plan", "fields": []},
        {"$object": {"kind": "Nothing"}},
        {"$map": 3},
        {"$map": [1]},
        {"$map": [[{"$map": []}, 1]]},
        {"x": 1},
    ],
)
def test_nothing_else_is_made_of_what_arrives(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        restored(value)
