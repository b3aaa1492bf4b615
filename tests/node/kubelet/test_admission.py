"""Whether a Pod can run on the node at all."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.core import Node, Pod
from k8slab.api.meta import ObjectMeta
from k8slab.node.kubelet.admission import admit, pod_requests

ALLOCATABLE = {"cpu": "2", "memory": "1Gi", "pods": "3"}
NODE = Node(metadata=ObjectMeta(name="n1", labels={"zone": "a", "cores": "8"}))


def pod(**spec: Any) -> Pod:
    spec = {"containers": [{"name": "c"}], **spec}
    loaded = load({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    assert isinstance(loaded, Pod)
    return loaded


def asking(cpu: str = "0", **more: str) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu, **more}}}


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


def test_a_limit_alone_counts_as_a_request() -> None:
    limited = {"name": "c", "resources": {"limits": {"memory": "64Mi"}}}
    assert pod_requests(pod(containers=[limited])) == {"memory": 64 * 2**20}


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
    rejection = admit(pod(containers=[asking(cpu)]), used, ALLOCATABLE, NODE)
    assert (rejection.reason if rejection else "") == reason


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
    rejection = admit(pod(affinity=expressions(*terms)), {}, ALLOCATABLE, NODE)
    assert (rejection is None) == fits


def test_a_node_that_is_not_known_yet_rejects_nobody() -> None:
    assert admit(pod(nodeSelector={"zone": "b"}), {}, ALLOCATABLE, None) is None
    assert admit(pod(nodeSelector={"zone": "b"}), {}, ALLOCATABLE, NODE) is not None
