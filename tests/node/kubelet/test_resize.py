"""Resizing a Pod in place: what the node gives, and what it tells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from k8slab.api import load
from k8slab.api.core import Pod
from k8slab.node.interfaces import ContainerResources
from k8slab.node.kubelet.allocation import changed_resources, with_resources_of
from k8slab.node.kubelet.resize import judge, summary
from tests.node.kubelet.lab import NODE, Lab, container

ALLOCATABLE = {"cpu": "2", "memory": "1Gi", "pods": "3"}


def asking(cpu: str = "500m", memory: str = "64Mi", **fields: Any) -> dict[str, Any]:
    amounts = {"cpu": cpu, "memory": memory}
    return container(resources={"requests": amounts, "limits": amounts}, **fields)


def pod(cpu: str = "500m", memory: str = "64Mi") -> Pod:
    spec = {"containers": [asking(cpu, memory)]}
    meta = {"name": "p", "uid": "u", "generation": 2}
    found = load({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    assert isinstance(found, Pod)
    return found


@pytest.mark.parametrize(
    ("cpu", "memory", "verdict", "message"),
    [
        ("1", "64Mi", "", ""),
        ("1500m", "64Mi", "Deferred",
         "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000"),
        ("3", "64Mi", "Infeasible",
         "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000"),
        ("3", "2Gi", "Infeasible",
         "Node didn't have enough capacity: memory, requested: 2147483648, capacity: 1073741824"),
    ],
)  # fmt: skip
def test_what_the_node_can_give(cpu: str, memory: str, verdict: str, message: str) -> None:
    found = judge(pod(cpu, memory), {"cpu": 1000}, ALLOCATABLE)
    assert (found.reason if found else "", found.message if found else "") == (verdict, message)


def test_events_show_what_is_wanted() -> None:
    assert summary(pod("1"), "no") == (
        '{"containers":[{"name":"web","resources":{"limits":{"cpu":"1","memory":"64Mi"},'
        '"requests":{"cpu":"1","memory":"64Mi"}}}],"generation":2,"error":"no"}'
    )


def test_a_pod_runs_with_what_it_was_given() -> None:
    wanted, given = pod("2"), pod("1")
    merged = with_resources_of(wanted, given.spec)
    assert merged.spec.containers[0].resources == given.spec.containers[0].resources
    assert with_resources_of(given, given.spec) is given


def test_a_change_is_one_of_cpu_of_memory_or_of_both() -> None:
    now = ContainerResources(cpu_request=1, memory_limit=2)
    assert changed_resources(now, now) == []
    assert changed_resources(now, replace(now, cpu_limit=1)) == ["cpu"]
    assert changed_resources(now, ContainerResources()) == ["cpu", "memory"]


steps = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2500), st.booleans()), max_size=25)


@given(steps)
def test_whatever_is_asked_for_the_node_never_gives_more_than_it_has(
    asked: list[tuple[int, int, bool]],
) -> None:
    given_to: dict[int, int] = {}
    for number, cpu, ends in asked:
        others = sum(amount for other, amount in given_to.items() if other != number)
        if ends:
            given_to.pop(number, None)
        elif judge(pod(f"{cpu}m"), {"cpu": others}, ALLOCATABLE) is None:
            given_to[number] = cpu
        assert sum(given_to.values()) <= 2000


# -- on a node


def resize(lab: Lab, cpu: str = "500m", memory: str = "64Mi") -> None:
    lab.change(
        "resize", containers=[{"name": "web", "resources": asking(cpu, memory)["resources"]}]
    )


def start(lab: Lab, **fields: Any) -> None:
    lab.run_pod(asking(**fields))
    lab.run(5)


def resize_conditions(lab: Lab, name: str = "web") -> list[tuple[str, str]]:
    found = lab.pod(name).status.conditions
    return [(c.type, c.reason) for c in found if c.type.startswith("PodResize")]


def has(lab: Lab) -> tuple[str, str, int]:
    """Return the cpu that the API says it was given and has, and the restarts."""
    (status,) = lab.pod().status.containerStatuses
    assert status.resources is not None
    given, limit = status.allocatedResources["cpu"], status.resources.limits["cpu"]
    return given, limit, status.restartCount


def test_a_container_gets_more_without_a_restart(lab: Lab) -> None:
    start(lab)
    resize(lab, "1")
    lab.run(5)
    assert has(lab) == ("1", "1", 0)
    assert resize_conditions(lab) == []
    (found,) = lab.runtime.containers()
    assert found.config.resources.cpu_limit == 1000


def test_the_events_of_a_resize(lab: Lab) -> None:
    start(lab)
    resize(lab, "1")
    lab.run(5)
    reasons = [reason for reason, _ in lab.events()]
    assert reasons[-2:] == ["ResizeStarted", "ResizeCompleted"]
    assert lab.events()[-1][1].startswith('Pod resize completed: {"containers":[{"name":"web"')


def test_while_it_is_under_way_a_condition_says_so(lab: Lab) -> None:
    start(lab)
    resize(lab, "1")
    lab.run(0.1)
    assert resize_conditions(lab) == [("PodResizeInProgress", "")]


def test_a_resize_policy_may_ask_for_a_restart(lab: Lab) -> None:
    policy = {"resourceName": "cpu", "restartPolicy": "RestartContainer"}
    start(lab, resizePolicy=[policy])
    resize(lab, memory="128Mi")
    lab.run(5)
    assert has(lab)[2] == 0
    resize(lab, "1", "128Mi")
    lab.run(40)
    assert has(lab) == ("1", "1", 1)
    assert ("Killing", "Container web resize requires restart") in lab.events()


def test_more_than_the_node_has_is_infeasible(lab: Lab) -> None:
    start(lab)
    resize(lab, "8")
    lab.run(5)
    assert resize_conditions(lab) == [("PodResizePending", "Infeasible")]
    assert has(lab) == ("500m", "500m", 0)
    assert lab.events()[-1][0] == "ResizeInfeasible"
    resize(lab, "500m")
    lab.run(5)
    assert resize_conditions(lab) == []


def other(lab: Lab, cpu: str, name: str = "other", **fields: Any) -> None:
    spec = {
        "nodeName": NODE,
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "containers": [asking(cpu)],
        **fields,
    }
    meta = {"name": name, "namespace": "default"}
    lab.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    lab.run(5)


def test_what_does_not_fit_now_waits_for_room(lab: Lab) -> None:
    start(lab)
    other(lab, "3")
    resize(lab, "2")
    lab.run(5)
    assert resize_conditions(lab) == [("PodResizePending", "Deferred")]
    lab.delete("other")
    lab.run(10)
    assert (has(lab), resize_conditions(lab)) == (("2", "2", 0), [])


def test_a_memory_limit_does_not_go_below_what_is_used(lab: Lab) -> None:
    start(lab)
    (found,) = lab.runtime.containers()
    process = lab.runtime.process_of(found.id)
    assert process is not None
    process.memory = 60 << 20
    resize(lab, memory="32Mi")
    lab.run(5)
    assert resize_conditions(lab) == [("PodResizeInProgress", "Error")]
    process.memory = 16 << 20
    lab.run(120)
    assert resize_conditions(lab) == []


def test_a_new_kubelet_knows_what_the_last_one_gave(lab: Lab) -> None:
    start(lab)
    resize(lab, "8")
    lab.run(5)
    lab.stop_kubelet()
    lab.start_kubelet()
    lab.run(10)
    assert has(lab) == ("500m", "500m", 0)
    assert resize_conditions(lab) == [("PodResizePending", "Infeasible")]


def test_of_two_that_wait_the_more_important_one_is_served_first(lab: Lab) -> None:
    lab.create({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                "metadata": {"name": "high"}, "value": 1000})  # fmt: skip
    start(lab, cpu="1")
    other(lab, "1", name="important", priorityClassName="high")
    other(lab, "2", name="big")
    for name in ("web", "important"):
        patch = [{"name": "web", "resources": asking("2")["resources"]}]
        lab.change("resize", name, containers=patch)
    lab.run(5)
    assert resize_conditions(lab, "important") == [("PodResizePending", "Deferred")]
    resize_big = [{"name": "web", "resources": asking("1")["resources"]}]
    lab.change("resize", "big", containers=resize_big)
    lab.run(5)
    assert resize_conditions(lab, "important") == []
    assert resize_conditions(lab) == [("PodResizePending", "Deferred")]
