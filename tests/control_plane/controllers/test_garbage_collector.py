from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.meta import DeleteOptions
from k8slab.control_plane.controller_manager import ControllerManager
from k8slab.control_plane.controllers.garbage_collector import judge


def owned(*uids: str, finalizers: tuple[str, ...] = ()) -> Any:
    owners = [{"apiVersion": "v1", "kind": "ConfigMap", "name": u, "uid": u} for u in uids]
    metadata = {"name": "x", "ownerReferences": owners, "finalizers": list(finalizers)}
    return load({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


@pytest.mark.parametrize(
    ("obj", "absent", "waiting", "dependents", "delete", "drop"),
    [
        (owned(), [], [], False, "", ()),
        (owned("a"), [], [], False, "", ()),
        (owned("a"), ["a"], [], False, "Background", ()),
        (owned("a"), ["a"], [], True, "Background", ()),
        (owned("a"), [], ["a"], False, "Background", ()),
        (owned("a"), [], ["a"], True, "Foreground", ()),
        (owned("a", "b"), ["a"], [], False, "", ("a",)),
        (owned("a", "b"), ["a"], ["b"], False, "Background", ()),
        (owned("a", finalizers=("orphan",)), ["a"], [], False, "Orphan", ()),
    ],
)
def test_what_becomes_of_an_object(
    obj: Any, absent: Any, waiting: Any, dependents: bool, delete: str, drop: Any
) -> None:
    verdict = judge(obj, absent=absent, waiting=waiting, has_dependents=dependents)
    assert (verdict.delete, verdict.drop) == (delete, drop)


@pytest.mark.parametrize(
    ("policy", "left"), [("Background", [0, 0]), ("Foreground", [0, 0]), ("Orphan", [1, 2])]
)
def test_the_three_ways_to_delete_an_owner(lab: Any, web: Any, policy: str, left: Any) -> None:
    lab.apply(web(2))
    lab.run(2)
    lab.request("delete", "Deployment", "web", body=DeleteOptions(propagationPolicy=policy))
    lab.run(0.02)
    assert len(lab.all("Deployment")) == (0 if policy == "Background" else 1)
    lab.run(5)
    assert lab.all("Deployment") == []
    assert [len(lab.all(kind)) for kind in ("ReplicaSet", "Pod")] == left


def config_map(name: str, *owners: Any) -> dict[str, Any]:
    references = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": n, "uid": uid} for n, uid in owners
    ]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "ownerReferences": references},
    }


def test_a_chain_goes_link_by_link_and_a_ghost_s_child_at_once(lab: Any) -> None:
    a = lab.apply(config_map("a"))
    b = lab.apply(config_map("b", ("a", a.metadata.uid)))
    lab.apply(config_map("c", ("b", b.metadata.uid)))
    lab.apply(config_map("child", ("ghost", "11111111-1111-1111-1111-111111111111")))
    lab.run(1)
    assert [cm.metadata.name for cm in lab.all("ConfigMap")][:3] == ["a", "b", "c"]
    lab.request("delete", "ConfigMap", "a")
    lab.run(1)
    assert [cm.metadata.name for cm in lab.all("ConfigMap")] == ["kube-root-ca.crt"]


def test_all_that_an_owner_left_behind_goes_though_nobody_saw_its_end(lab_with: Any) -> None:
    lab = lab_with(replace={"garbage-collector-controller": None})
    ghost = ("gone", "11111111-1111-1111-1111-111111111111")
    for name in ("a", "b", "c"):
        lab.apply(config_map(name, ghost))
    lab.sim.spawn(ControllerManager(lab.sim, lab.client, lab).run(), "the next manager")
    lab.run(3)
    assert [cm.metadata.name for cm in lab.all("ConfigMap")] == ["kube-root-ca.crt"]


def test_an_owner_in_another_namespace_is_none_and_its_own_dependents_stay(lab: Any) -> None:
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    a = lab.apply(config_map("a"))
    lab.apply(config_map("mine", ("a", a.metadata.uid)))
    foreign = load(config_map("foreign", ("a", a.metadata.uid)))
    lab.request("create", "ConfigMap", namespace="other", body=foreign)
    lab.run(3)
    left = [cm.metadata.name for cm in lab.all("ConfigMap", namespace="other")]
    assert left == ["kube-root-ca.crt"]
    assert "mine" in [cm.metadata.name for cm in lab.all("ConfigMap")]
    (event,) = (e for e in lab.all("Event", namespace="other") if "foreign" in e.metadata.name)
    assert event.reason == "OwnerRefInvalidNamespace"
    assert event.message.endswith('does not exist in namespace "other"')


def test_an_owner_made_anew_is_another_owner(lab: Any) -> None:
    a = lab.apply(config_map("a"))
    lab.run(0.1)
    lab.request("delete", "ConfigMap", "a")
    lab.apply(config_map("a"))
    lab.apply(config_map("b", ("a", a.metadata.uid)))
    lab.run(1)
    assert [cm.metadata.name for cm in lab.all("ConfigMap")] == ["a", "kube-root-ca.crt"]


def test_the_uid_decides_and_not_the_name(lab: Any) -> None:
    lab.apply(config_map("a"))
    lab.apply(config_map("b", ("a", "11111111-1111-1111-1111-111111111111")))
    lab.run(1)
    assert [cm.metadata.name for cm in lab.all("ConfigMap")] == ["a", "kube-root-ca.crt"]


def test_one_of_two_owners_is_enough_to_stay(lab: Any) -> None:
    a, b = lab.apply(config_map("a")), lab.apply(config_map("b"))
    lab.apply(config_map("c", ("a", a.metadata.uid), ("b", b.metadata.uid)))
    lab.run(0.1)
    lab.request("delete", "ConfigMap", "a")
    lab.run(1)
    (owner,) = lab.get("ConfigMap", "c").metadata.ownerReferences
    assert owner.name == "b"


def test_in_the_foreground_each_pod_is_asked_twice_as_upstream_does(lab: Any, web: Any) -> None:
    lab.apply(web(2))
    lab.run(2)
    asked: list[str] = []
    handle = lab.server.handle

    def noted(request: Any) -> Any:
        answer = handle(request)  # a second wish for what has changed meanwhile is refused
        if request.verb == "delete" and request.user.endswith("garbage-collector"):
            asked.append(request.resource)
        return answer

    lab.server.handle = noted
    lab.request("delete", "Deployment", "web", body=DeleteOptions(propagationPolicy="Foreground"))
    lab.run(5)
    assert asked == ["replicasets", *["pods"] * 4]
    assert lab.all("Pod") == []
