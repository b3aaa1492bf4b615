"""Data, objects and a few structs cross over to a kernel and back; nothing else does."""

from typing import Any

import pytest

from k8slab.api import load
from k8slab.classroom.grading.wire import plain, restored, wishes
from k8slab.control_plane.controllers.learner_controller import Desk
from k8slab.control_plane.controllers.replica_set import Plan
from k8slab.sim import Record

POD = load({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"}})


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
        POD.spec,  # type: ignore[attr-defined]
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_sent_arrives(value: Any) -> None:
    arrived = restored(plain(value))
    assert plain(arrived) == plain(value)
    assert type(arrived) is type(value)


def test_a_plan_takes_its_pods_along() -> None:
    assert list(restored(plain(Plan(delete=(POD,)))).delete) == [POD]  # type: ignore[arg-type]


class OnePod:
    def all(self) -> list[Any]:
        return [POD]


def test_a_desk_takes_its_objects_along_and_gives_its_wishes_back() -> None:
    there = restored(plain(Desk({"pod": OnePod(), "configmap": OnePod()})))
    assert there.list("pod") == [POD]
    there.label("pod", "web", seen="yes", old=None)
    assert wishes(there) == [["pod", "web", {"seen": "yes", "old": None}]]


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
        {"$api": ["os", "PathLike"], "fields": {}},
        {"$api": ["k8slab.api.codec", "load"], "fields": {}},
        {"$api": ["k8slab.api.nothing", "Pod"], "fields": {}},
        {"$api": 3, "fields": {}},
        {"$desk": {"pod": [{}]}},
        {"$desk": []},
        {"$map": 3},
        {"$map": [1]},
        {"$map": [[{"$map": []}, 1]]},
        {"x": 1},
    ],
)
def test_nothing_else_is_made_of_what_arrives(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        restored(value)
