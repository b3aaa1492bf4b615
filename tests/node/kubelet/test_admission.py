"""Whether a Pod can run on the node at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from k8slab.api import load, to_dict
from k8slab.api.core import Node, NodeSpec, Pod, Taint
from k8slab.api.meta import ObjectMeta
from k8slab.node.kubelet.admission import OtherPods, admit, pod_requests
from k8slab.node.kubelet.static_pods import static_pod

ALLOCATABLE = {"cpu": "2", "memory": "1Gi", "pods": "3"}
NODE = Node(metadata=ObjectMeta(name="n1", labels={"zone": "a", "cores": "8"}))


def pod(**spec: Any) -> Pod:
    spec = {"containers": [{"name": "c"}], **spec}
    loaded = load({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    assert isinstance(loaded, Pod)
    return loaded


def asking(cpu: str = "0", **more: str) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu, **more}}}


def reasons(asking: Pod, others: OtherPods, node: Node | None = NODE) -> str:
    return " ".join(r.reason for r in admit(asking, others, ALLOCATABLE, node))


def test_sidecars_add_up_and_init_containers_take_the_maximum() -> None:
    init = [
        asking("900m") | {"name": "i"},
        asking("100m") | {"name": "s", "restartPolicy": "Always"},
    ]
    found = pod_requests(
        pod(initContainers=init, containers=[asking("300m")], overhead={"cpu": "10m"})
    )
    assert found["cpu"] == 910
    later = [init[1], init[0]]
    assert pod_requests(pod(initContainers=later, containers=[asking("300m")]))["cpu"] == 1000


def test_a_limit_alone_counts_as_a_request_in_a_static_pod_too() -> None:
    limited = {"name": "c", "image": "a", "resources": {"limits": {"memory": "64Mi"}}}
    found = static_pod(json.dumps(to_dict(pod(containers=[limited]))), "n1", 0.0)
    assert pod_requests(found) == {"memory": 64 * 2**20}


def test_what_the_whole_pod_asks_for_replaces_the_sum_and_overhead_comes_on_top() -> None:
    whole = pod(
        containers=[asking("300m") | {"image": "a"}],
        resources={"requests": {"cpu": "1"}},
        overhead={"cpu": "10m", "memory": "1Mi"},
    )
    assert pod_requests(whole) == {"cpu": 1010, "memory": 2**20}


@pytest.mark.parametrize(
    ("used", "cpu", "reason"),
    [
        ({"pods": 0}, "2", ""),
        ({"pods": 1, "cpu": 1}, "2", "OutOfcpu"),
        ({"pods": 3}, "0", "OutOfpods"),
        ({"pods": 1, "cpu": 5000}, "0", ""),
    ],
)
def test_what_is_used_and_what_is_asked_must_fit(
    used: dict[str, int], cpu: str, reason: str
) -> None:
    assert reasons(pod(containers=[asking(cpu)]), OtherPods(used)) == reason


def test_the_message_says_what_is_lacking() -> None:
    others = OtherPods({"pods": 1, "cpu": 1500})
    (lacking,) = admit(pod(containers=[asking("1")]), others, ALLOCATABLE, NODE)
    text = "Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000"
    assert lacking.message == text


def test_resources_come_before_all_other_reasons() -> None:
    wrong = pod(containers=[asking("3", memory="2Gi")], nodeSelector={"zone": "b"})
    assert reasons(wrong, OtherPods()) == "OutOfcpu OutOfmemory NodeAffinity"


def test_a_resource_with_a_domain_that_the_node_does_not_know_is_not_its_business() -> None:
    assert reasons(pod(containers=[asking(**{"example.com/gpu": "1"})]), OtherPods()) == ""


@pytest.mark.parametrize(
    ("port", "taken", "reason"),
    [
        ({"hostPort": 80}, ("TCP", "0.0.0.0", 80), "NodePorts"),
        ({"hostPort": 80}, ("UDP", "0.0.0.0", 80), ""),
        ({"hostPort": 80, "hostIP": "10.0.0.1"}, ("TCP", "10.0.0.2", 80), ""),
        ({"hostPort": 80, "hostIP": "10.0.0.1"}, ("TCP", "0.0.0.0", 80), "NodePorts"),
        ({}, ("TCP", "0.0.0.0", 80), ""),
    ],
)
def test_a_port_of_the_node_belongs_to_one_pod(port: Any, taken: Any, reason: str) -> None:
    wanting = {"name": "c", "ports": [{"containerPort": 80, **port}]}
    others = OtherPods(host_ports=(taken,))
    assert reasons(pod(containers=[wanting]), others) == reason


def test_a_taint_that_ends_pods_keeps_new_ones_out() -> None:
    taint = Taint(key="k", effect="NoExecute")
    tainted = replace(NODE, spec=NodeSpec(taints=(taint, Taint(key="q", effect="NoSchedule"))))
    assert reasons(pod(), OtherPods(), tainted) == "TaintToleration"
    tolerant = pod(tolerations=[{"operator": "Exists"}])
    assert reasons(tolerant, OtherPods(), tainted) == ""


@pytest.mark.parametrize(
    ("labels", "spec", "reason"),
    [
        ({"kubernetes.io/os": "windows"}, {}, "PodOSSelectorNodeLabelDoesNotMatch"),
        ({}, {"os": {"name": "windows"}}, "PodOSNotSupported"),
        ({"kubernetes.io/os": "linux"}, {"os": {"name": "linux"}}, ""),
    ],
)
def test_a_pod_of_another_system_is_turned_away(labels: Any, spec: Any, reason: str) -> None:
    foreign = pod(**spec)
    foreign = replace(foreign, metadata=replace(foreign.metadata, labels=labels))
    assert reasons(foreign, OtherPods()) == reason


def expressions(*terms: tuple[str, str, list[str]]) -> dict[str, Any]:
    required = [{"key": k, "operator": op, "values": values} for k, op, values in terms]
    term = {"matchExpressions": required}
    return {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}
        }
    }


@pytest.mark.parametrize(
    ("terms", "fits"),
    [
        ([("zone", "In", ["a", "b"])], True),
        ([("zone", "NotIn", ["a"])], False),
        ([("gpu", "NotIn", ["x"])], True),
        ([("gpu", "Exists", [])], False),
        ([("gpu", "DoesNotExist", [])], True),
        ([("cores", "Gt", ["4"])], True),
        ([("cores", "Lt", ["4"])], False),
        ([("zone", "In", ["a"]), ("gpu", "Exists", [])], False),
        ([], False),
    ],
)
def test_node_affinity_is_checked_again(terms: Any, fits: bool) -> None:
    assert (reasons(pod(affinity=expressions(*terms)), OtherPods()) == "") == fits


def test_a_node_that_is_not_known_yet_rejects_nobody() -> None:
    assert not reasons(pod(nodeSelector={"zone": "b"}), OtherPods(), None)
    assert reasons(pod(nodeSelector={"zone": "b"}), OtherPods()) == "NodeAffinity"
