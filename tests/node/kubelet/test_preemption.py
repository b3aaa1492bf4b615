"""Whom the kubelet ends so that a critical Pod fits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.api.core import Pod
from k8slab.node.kubelet.admission import Lacking
from k8slab.node.kubelet.preemption import is_critical, pods_to_preempt, remaining
from tests.node.kubelet.lab import NODE, Lab, container

CRITICAL = 2_000_000_000


def pod(name: str, cpu: str = "", qos: str = "Burstable", priority: int = 0) -> Pod:
    requests = {"cpu": cpu} if cpu else {}
    body: Any = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "priority": priority,
            "containers": [{"name": "c", "resources": {"requests": requests}}],
        },
        "status": {"qosClass": qos},
    }
    found = load(body)
    assert isinstance(found, Pod)
    return found


PREEMPTOR = pod("critical", "1", priority=CRITICAL)


def chosen(pods: list[Pod], missing: int) -> list[str]:
    lacking = Lacking("cpu", requested=missing, used=0, capacity=0)
    return [p.metadata.name for p in pods_to_preempt(PREEMPTOR, pods, [lacking])]


def test_as_few_as_possible_and_the_smaller_of_two_that_do() -> None:
    pods = [pod("small", "200m"), pod("big", "2"), pod("middle", "1")]
    assert chosen(pods, 900) == ["middle"]
    assert chosen(pods, 2100) == ["big", "small"]


def test_a_guaranteed_pod_goes_only_if_all_others_are_not_enough() -> None:
    pods = [pod("best", qos="BestEffort"), pod("b", "500m"), pod("g", "1", "Guaranteed")]
    assert chosen(pods, 400) == ["b"]
    assert chosen(pods, 1200) == ["b", "g"]


def test_critical_pods_are_never_ended() -> None:
    with pytest.raises(ValueError, match=r"reclaim resources: \[\(res: cpu, q: 500\), \]"):
        chosen([pod("other", "1", priority=CRITICAL)], 500)


@given(st.lists(st.integers(0, 2000), max_size=6), st.integers(1, 4000))
def test_what_is_chosen_is_enough_and_all_of_it_is_needed_or_nothing_would_do(
    sizes: list[int], missing: int
) -> None:
    pods = [pod(str(index), f"{size}m") for index, size in enumerate(sizes)]
    if sum(sizes) < missing:
        with pytest.raises(ValueError, match="no set of running pods"):
            chosen(pods, missing)
        return
    names = chosen(pods, missing)
    victims = [p for p in pods if p.metadata.name in names]
    assert remaining({"cpu": missing}, victims) == {}


def test_a_critical_pod_that_does_not_fit_is_made_room_for(lab: Lab) -> None:
    asked = {"requests": {"cpu": "3"}}
    lab.run_pod(container(resources=asked), terminationGracePeriodSeconds=1)
    lab.run(5)
    static = """
    apiVersion: v1
    kind: Pod
    metadata: {name: critical, namespace: default}
    spec: {containers: [{name: c, image: example.com/web:v1, resources: {requests: {cpu: "2"}}}]}
    """
    lab.machine.disk.write("etc/kubernetes/manifests/critical.yaml", static)
    lab.run(20)
    victim = lab.pod()
    assert (victim.status.phase, victim.status.reason) == ("Failed", "Preempting")
    assert ("Preempting", "Preempted in order to admit critical pod") in lab.events()
    assert lab.pod(f"critical-{NODE}").status.phase == "Running"
    assert is_critical(lab.pod(f"critical-{NODE}"))
