"""Whom the kubelet ends so that a critical Pod fits."""

from __future__ import annotations

import json
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


def static(lab: Lab, name: str, cpu: str, **spec: Any) -> None:
    asked = container(resources={"requests": {"cpu": cpu}})
    meta = {"name": name, "namespace": "default"}
    spec = {**spec, "containers": [asked]}
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    lab.machine.disk.write(f"etc/kubernetes/manifests/{name}.yaml", json.dumps(manifest))
    lab.run(20)


def test_for_a_critical_pod_that_could_not_run_anyway_nobody_is_ended(lab: Lab) -> None:
    lab.run_pod(container(resources={"requests": {"cpu": "3"}}))
    lab.run(5)
    static(lab, "critical", "2", nodeSelector={"zone": "nowhere"})
    assert lab.pod().status.phase == "Running"
    assert [reason for reason, _ in lab.events(f"critical-{NODE}")] == ["NodeAffinity"]


def test_a_critical_pod_for_which_all_are_not_enough_is_an_unexpected_error(lab: Lab) -> None:
    lab.run_pod(container(resources={"requests": {"cpu": "3"}}))
    lab.run(5)
    static(lab, "critical", "9")
    ((reason, message),) = lab.events(f"critical-{NODE}")
    assert reason == "UnexpectedAdmissionError"
    assert message.startswith(
        "Unexpected error while attempting to recover from admission failure: "
        "preemption: error finding a set of pods to preempt: no set of running pods found"
    )


def test_a_critical_pod_that_does_not_fit_is_made_room_for(lab: Lab) -> None:
    asked = {"requests": {"cpu": "3"}}
    lab.run_pod(container(resources=asked), terminationGracePeriodSeconds=1)
    lab.run(5)
    static(lab, "critical", "2")
    victim = lab.pod()
    assert (victim.status.phase, victim.status.reason) == ("Failed", "Preempting")
    assert ("Preempting", "Preempted in order to admit critical pod") in lab.events()
    assert lab.pod(f"critical-{NODE}").status.phase == "Running"
    assert is_critical(lab.pod(f"critical-{NODE}"))
