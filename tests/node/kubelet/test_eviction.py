"""What happens on a node that runs short of memory or disk."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load, to_dict
from k8slab.api.core import Node, Pod
from k8slab.node.kubelet import KubeletConfiguration, eviction
from k8slab.node.kubelet.eviction import Observation, PodUse, PressureState, Threshold
from tests.node.kubelet.lab import NODE, Lab, container, shell

MEMORY = Threshold("memory.available", "100Mi")
SOFT = Threshold("memory.available", "300Mi", grace=30.0)
MI = 1 << 20


def pod(name: str, request: str = "", priority: int = 0, **status: Any) -> Pod:
    requests = {"memory": request} if request else {}
    found = load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {
                "priority": priority,
                "containers": [{"name": "c", "resources": {"requests": requests}}],
            },
            "status": status,
        }
    )
    assert isinstance(found, Pod)
    return found


def left(mebibytes: int) -> dict[str, Observation]:
    return {"memory.available": Observation(mebibytes * MI, 8192 * MI)}


# -- decisions


def test_a_threshold_is_an_amount_or_a_part() -> None:
    assert MEMORY.quantity(8 << 30) == 100 * MI
    assert Threshold("nodefs.available", "10%").quantity(1000) == 100
    reclaiming = Threshold("memory.available", "100Mi", reclaim="50Mi")
    assert reclaiming.quantity(8 << 30, with_reclaim=True) == 150 * MI


@pytest.mark.parametrize(("available", "is_met"), [(99, True), (100, False), (5000, False)])
def test_it_is_met_when_less_is_left(available: int, is_met: bool) -> None:
    assert bool(eviction.met([MEMORY], left(available))) == is_met


def test_a_soft_threshold_waits_for_its_grace_period() -> None:
    state = eviction.observe(PressureState(), [SOFT], left(200), 0.0)
    assert (state.acted_on, state.conditions(0.0, 300.0)) == ((), ["MemoryPressure"])
    assert eviction.observe(state, [SOFT], left(200), 20.0).acted_on == ()
    assert eviction.observe(state, [SOFT], left(200), 30.0).acted_on == (SOFT,)
    relieved = eviction.observe(state, [SOFT], left(400), 20.0)
    assert eviction.observe(relieved, [SOFT], left(200), 40.0).acted_on == ()


def test_the_condition_stays_for_the_transition_period() -> None:
    state = eviction.observe(PressureState(), [MEMORY], left(50), 0.0)
    well = eviction.observe(state, [MEMORY], left(500), 10.0)
    assert well.conditions(299.0, 300.0) == ["MemoryPressure"]
    assert well.conditions(300.0, 300.0) == []


def test_who_acted_goes_on_until_enough_is_won_back() -> None:
    reclaiming = Threshold("memory.available", "100Mi", reclaim="100Mi")
    state = eviction.observe(PressureState(), [reclaiming], left(50), 0.0)
    assert eviction.observe(state, [reclaiming], left(150), 10.0).acted_on == (reclaiming,)
    assert eviction.observe(PressureState(), [reclaiming], left(150), 10.0).acted_on == ()


def test_the_order_of_eviction() -> None:
    uses = [
        PodUse(pod("within", "1Gi"), {"c": 900 * MI}),
        PodUse(pod("important", priority=10), {"c": 900 * MI}),
        PodUse(pod("a-little-over", "100Mi"), {"c": 150 * MI}),
        PodUse(pod("far-over", "100Mi"), {"c": 300 * MI}),
    ]
    names = [use.pod.metadata.name for use in eviction.rank(uses, "memory")]
    assert names == ["far-over", "a-little-over", "important", "within"]


def test_the_message_names_threshold_and_containers() -> None:
    use = PodUse(pod("p", "64Mi"), {"c": 300 * MI})
    assert eviction.message(use, "memory", [MEMORY], left(96)) == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 96Mi. "
        "Container c was using 300Mi, request is 64Mi, has larger consumption of memory. "
    )


@pytest.mark.parametrize(
    ("asking", "conditions", "refused"),
    [
        (pod("best", qosClass="BestEffort"), ["MemoryPressure"], True),
        (pod("burst", qosClass="Burstable"), ["MemoryPressure"], False),
        (pod("burst", qosClass="Burstable"), ["MemoryPressure", "DiskPressure"], True),
        (pod("critical", priority=2_000_000_000), ["DiskPressure"], False),
        (pod("best", qosClass="BestEffort"), [], False),
    ],
)
def test_who_is_turned_away(asking: Pod, conditions: list[str], refused: bool) -> None:
    assert (eviction.refusal(asking, conditions) is not None) == refused


def test_a_soft_threshold_without_a_grace_period_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="grace period must be specified"):
        eviction.thresholds_of({}, {"memory.available": "1Gi"}, {}, {})


# -- on a node (8 GiB)


def hog(name: str, megabytes: int) -> dict[str, Any]:
    args = ["--vm", "1", "--vm-bytes", f"{megabytes}M", "--vm-hang", "1"]
    return container(name, "polinux/stress", command=["stress", *args])


def node_conditions(lab: Lab) -> dict[str, str]:
    node = lab.do(lab.client.get(Node, NODE))
    return {c.type: c.status for c in node.status.conditions}


def test_a_pod_that_uses_too_much_memory_is_evicted(lab: Lab) -> None:
    lab.run_pod(hog("hog", 8130))
    lab.run(40)
    status = lab.pod().status
    assert (status.phase, status.reason) == ("Failed", "Evicted")
    assert status.message == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 62Mi. "
        "Container hog was using 8130Mi, request is 0, has larger consumption of memory. "
    )
    assert ("Evicted", status.message) in lab.events()
    disruption = next(c for c in status.conditions if c.type == "DisruptionTarget")
    assert (disruption.reason, disruption.message) == ("TerminationByKubelet", status.message)


def test_the_node_says_so_and_is_well_again_after_five_minutes(lab: Lab) -> None:
    lab.run_pod(hog("hog", 8130))
    lab.run(40)
    assert node_conditions(lab)["MemoryPressure"] == "True"
    reasons = [reason for reason, _ in lab.events(NODE)]
    assert {"EvictionThresholdMet", "NodeHasInsufficientMemory"} <= set(reasons)
    lab.run(320)
    assert node_conditions(lab)["MemoryPressure"] == "False"


def test_meanwhile_best_effort_pods_are_turned_away(lab: Lab) -> None:
    lab.run_pod(hog("hog", 8130))
    lab.run(40)
    body = to_dict(lab.pod())
    spec = {"nodeName": NODE, "containers": [container()]}
    meta = {"name": "late", "namespace": "default"}
    lab.create({"apiVersion": "v1", "kind": body["kind"], "metadata": meta, "spec": spec})
    lab.run(5)
    status = lab.pod("late").status
    message = "Pod was rejected: The node had condition: [MemoryPressure]. "
    assert (status.phase, status.reason, status.message) == ("Failed", "Evicted", message)


def test_soft_eviction_gives_the_pod_its_time(bare: Lab) -> None:
    settings = KubeletConfiguration(
        eviction_soft={"memory.available": "1Gi"},
        eviction_soft_grace_period={"memory.available": 60.0},
    )
    bare.start_node(config=settings)
    bare.run_pod(hog("hog", 7500))
    bare.run(55)
    assert bare.pod().status.phase == "Running"
    bare.run(40)
    assert bare.pod().status.reason == "Evicted"


def test_an_empty_dir_over_its_limit_costs_the_pod_its_life(lab: Lab) -> None:
    filling = shell(
        "dd if=/dev/zero of=/cache/f bs=1M count=20; sleep 999",
        volumeMounts=[{"name": "cache", "mountPath": "/cache"}],
    )
    lab.run_pod(filling, volumes=[{"name": "cache", "emptyDir": {"sizeLimit": "10Mi"}}])
    lab.run(40)
    status = lab.pod().status
    message = 'Usage of EmptyDir volume "cache" exceeds the limit "10Mi". '
    assert (status.reason, status.message) == ("Evicted", message)


def test_many_small_writes_add_up(lab: Lab) -> None:
    filling = shell(
        "i=0; while [ $i -lt 9 ]; do echo 0123456789 >> /cache/f; i=$((i+1)); done; sleep 999",
        volumeMounts=[{"name": "cache", "mountPath": "/cache"}],
    )
    lab.run_pod(filling, volumes=[{"name": "cache", "emptyDir": {"sizeLimit": "50"}}])
    lab.run(40)
    assert lab.pod().status.reason == "Evicted"


def test_a_critical_pod_is_never_evicted(lab: Lab) -> None:
    manifest = """
    apiVersion: v1
    kind: Pod
    metadata: {name: hog, namespace: default}
    spec:
      containers:
      - {name: c, image: polinux/stress, command: [stress, --vm, "1", --vm-bytes, 8130M]}
    """
    lab.machine.disk.write("etc/kubernetes/manifests/hog.yaml", manifest)
    lab.run(40)
    assert node_conditions(lab)["MemoryPressure"] == "True"
    assert lab.pod(f"hog-{NODE}").status.phase == "Running"


def test_so_does_a_file_over_the_limit_of_ephemeral_storage(lab: Lab) -> None:
    limits = {"limits": {"ephemeral-storage": "10Mi"}}
    lab.run_pod(shell("fallocate -l 20M /tmp/f; sleep 999", resources=limits))
    lab.run(40)
    assert lab.pod().status.message == (
        "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. "
    )


def test_a_full_disk_costs_unused_images_first(lab: Lab) -> None:
    lab.run_pod(shell("fallocate -l 95G /tmp/f; sleep 999"))
    lab.run(60)
    status = lab.pod().status
    assert status.reason == "Evicted"
    assert status.message.startswith("The node was low on resource: ephemeral-storage. ")
    assert node_conditions(lab)["DiskPressure"] == "True"


def test_a_node_without_pressure_has_nothing_to_do(lab: Lab) -> None:
    lab.run_pod(hog("hog", 4000))
    lab.run(40)
    waiting = [entry.label for entry in lab.sim.pending()]
    assert not [label for label in waiting if "eviction" in label]
