from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.requests import pod_requests
from k8slab.control_plane.scheduler import explain

MI = 1024 * 1024


def resources(**requests: str) -> dict[str, Any]:
    return {"requests": requests}


def make(**spec: Any) -> Any:
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind, ())):
            container["name"] = f"{kind}-{index}"
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    return load(manifest)


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        (
            {
                "containers": [
                    {"resources": resources(cpu="100m")},
                    {"resources": resources(cpu="1")},
                ]
            },
            1100,
        ),
        (
            {
                "containers": [{"resources": resources(cpu="1")}],
                "initContainers": [
                    {"resources": resources(cpu="3")},
                    {"resources": resources(cpu="2")},
                ],
            },
            3000,
        ),
        (
            {
                "containers": [{"resources": resources(cpu="1")}],
                "initContainers": [
                    {"restartPolicy": "Always", "resources": resources(cpu="500m")},
                    {"resources": resources(cpu="200m")},
                ],
            },
            1500,
        ),
        (
            {
                "containers": [{"resources": resources(cpu="1")}],
                "initContainers": [
                    {"restartPolicy": "Always", "resources": resources(cpu="500m")},
                    {"resources": resources(cpu="2")},
                ],
            },
            2500,
        ),
        ({"containers": [{}], "overhead": {"cpu": "250m"}}, 250),
        (
            {
                "containers": [{"resources": resources(cpu="100m")}],
                "resources": resources(cpu="2"),
            },
            2000,
        ),
        ({"containers": [{}]}, 0),
    ],
    ids=["sum", "init-max", "sidecar-adds", "init-beside-sidecar", "overhead", "pod-level", "none"],
)
def test_what_a_pod_asks_for(spec: dict[str, Any], cpu: int) -> None:
    assert pod_requests(make(**spec)).get("cpu", 0) == cpu


def test_scoring_counts_a_missing_request_and_fitting_does_not() -> None:
    asked = make(containers=[{}, {"resources": resources(cpu="1")}])
    assert pod_requests(asked) == {"cpu": 1000}
    assert pod_requests(asked, non_zero=True) == {"cpu": 1100, "memory": 400 * MI}


def test_a_resize_keeps_the_larger_amount_booked() -> None:
    asked = make(containers=[{"resources": resources(cpu="1")}])
    status = {
        "containerStatuses": [
            {
                "name": "containers-0",
                "resources": resources(cpu="3"),
                "allocatedResources": {"cpu": "2"},
            }
        ]
    }
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "containers-0", "resources": resources(cpu="1")}]},
        "status": status,
    }
    assert pod_requests(asked)["cpu"] == 1000
    assert pod_requests(load(manifest))["cpu"] == 3000  # type: ignore[arg-type]


def test_devices_are_told_by_their_name(node: Any) -> None:
    asked = make(containers=[{"resources": resources(**{"nvidia.com/gpu": "1"})}])
    verdict = explain(asked, [node()]).nodes["node-1"]
    assert verdict.reasons == ("Insufficient nvidia.com/gpu",)
    args = {"NodeResourcesFit": {"ignoredResourceGroups": ["nvidia.com"]}}
    assert explain(asked, [node()], args=args).best == ("node-1",)


@pytest.mark.parametrize(
    ("strategy", "best"),
    [({"type": "LeastAllocated"}, "empty"), ({"type": "MostAllocated"}, "used")],
)
def test_the_strategy_decides_between_spreading_and_packing(
    strategy: dict[str, Any], best: str, node: Any, pod: Any
) -> None:
    running = [pod("x", cpu="2", memory="4Gi", nodeName="used")]
    args = {"NodeResourcesFit": {"scoringStrategy": strategy}}
    asked = pod(cpu="1", memory="2Gi")
    answer = explain(
        asked,
        [node("empty"), node("used")],
        running,
        plugins=("NodeResourcesFit",),
        args=args,
    )
    assert answer.best == (best,)


def test_a_shape_scores_between_its_points(node: Any, pod: Any) -> None:
    shape = [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}]
    strategy = {"type": "RequestedToCapacityRatio", "requestedToCapacityRatio": {"shape": shape}}
    answer = explain(
        pod(cpu="1", memory="2Gi"),
        [node("a"), node("b", cpu="2", memory="4Gi")],
        plugins=("NodeResourcesFit",),
        args={"NodeResourcesFit": {"scoringStrategy": strategy}},
    )
    assert [answer.nodes[n].scores["NodeResourcesFit"] for n in "ab"] == [25, 50]


@pytest.mark.parametrize(
    ("used", "score"),
    [(("2", "0"), 87), (("0", "4Gi"), 62), (("1", "2Gi"), 75)],
)
def test_balance_rewards_the_pod_that_makes_up_for_it(
    used: tuple[str, str], score: int, node: Any, pod: Any
) -> None:
    # The Pod takes half of the memory: good where half of the cpu is gone, bad where memory is.
    cpu, memory = used
    running = [pod("x", cpu=cpu, memory=memory, nodeName="node-1")]
    asked = pod(cpu="0", memory="4Gi") if used != ("1", "2Gi") else pod(cpu="1", memory="2Gi")
    answer = explain(
        asked,
        [node("node-1"), node("other")],
        running,
        plugins=("NodeResourcesBalancedAllocation",),
    )
    assert answer.nodes["node-1"].scores["NodeResourcesBalancedAllocation"] == score


def test_a_pod_without_requests_is_not_balanced(node: Any, pod: Any) -> None:
    answer = explain(pod(), [node("a"), node("b")])
    assert "NodeResourcesBalancedAllocation" not in answer.weights


LACKS = [
    ({"cpu": "5"}, ("Insufficient cpu",), False),
    ({"cpu": "3"}, ("Insufficient cpu",), True),
    ({"memory": "5Gi"}, ("Insufficient memory",), True),
    ({"ephemeral-storage": "9Gi"}, ("Insufficient ephemeral-storage",), True),
    ({"hugepages-2Mi": "4Mi"}, ("Insufficient hugepages-2Mi",), True),
    ({"example.com/dongle": "2"}, ("Insufficient example.com/dongle",), True),
    ({"example.com/dongle": "3"}, ("Insufficient example.com/dongle",), False),
    (
        {"cpu": "3", "memory": "5Gi", "ephemeral-storage": "9Gi"},
        ("Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage"),
        True,
    ),
    # One thing that the node will never have, and nothing else counts.
    ({"cpu": "5", "memory": "5Gi"}, ("Insufficient cpu", "Insufficient memory"), False),
    ({"cpu": "0", "example.com/dongle": "0"}, (), True),
    ({"cpu": "2", "memory": "4Gi", "ephemeral-storage": "5Gi"}, (), True),
]


@pytest.mark.parametrize(("asked", "reasons", "helped"), LACKS)
def test_each_thing_that_is_lacking_is_told(
    asked: dict[str, str], reasons: tuple[str, ...], helped: bool
) -> None:
    """On a node half of which is taken; preemption may help only where the whole would do."""
    amounts = {
        "cpu": ("4", "2"),
        "memory": ("8Gi", "4Gi"),
        "ephemeral-storage": ("10Gi", "5Gi"),
        "hugepages-2Mi": ("4Mi", "2Mi"),
        "example.com/dongle": ("2", "1"),
        "pods": ("10", "0"),
    }
    whole = {name: all_of_it for name, (all_of_it, _) in amounts.items()}
    half = {name: half for name, (_, half) in amounts.items() if name != "pods"}
    node: Any = load(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "node-1"},
            "status": {"allocatable": whole},
        }
    )
    there = make(containers=[{"resources": resources(**half)}], nodeName="node-1")
    other = make(containers=[{"resources": resources(**asked)}])
    verdict = explain(other, [node], [there], plugins=("NodeResourcesFit",)).nodes["node-1"]
    assert verdict.reasons == reasons
    if reasons:
        code = "Unschedulable" if helped else "UnschedulableAndUnresolvable"
        assert verdict.code == code


def test_too_many_pods_is_told_beside_what_else_is_lacking(node: Any, pod: Any) -> None:
    there = [pod("a", nodeName="node-1")]
    told = explain(pod(cpu="8"), [node(pods="1")], there).nodes["node-1"]
    assert told.reasons == ("Too many pods", "Insufficient cpu")


@pytest.mark.parametrize(
    ("size", "containers", "score"),
    [
        (23, 1, 0),  # MiB; up to here nothing
        (1000, 1, 100),  # and from here on all
        (2000, 1, 100),
        (511, 1, 49),
        (1000, 2, 49),  # two containers, one image is there
    ],
)
def test_an_image_counts_between_two_marks(
    size: int, containers: int, score: int, node: Any
) -> None:
    images = [{"names": ["a:latest"], "sizeBytes": size * MI}]
    nodes = [node("n0", images=images)]
    asked = make(containers=[{"image": name} for name in "ab"[:containers]])
    other = node("n1", images=images)  # on all nodes, so that all of its size counts
    told = explain(asked, [*nodes, other], plugins=("ImageLocality",))
    assert told.nodes["n0"].scores["ImageLocality"] == score
