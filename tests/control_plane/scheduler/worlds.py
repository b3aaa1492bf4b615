"""Small clusters of all kinds, for claims that hold in every one of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from k8slab.api import load

ZONE = "topology.kubernetes.io/zone"
PRIORITIES = {"low": 1, "middle": 10, "high": 1000}
TAINTS: list[dict[str, str]] = [
    {"key": "gpu", "effect": "NoSchedule"},
    {"key": "slow", "effect": "PreferNoSchedule"},
]
TOLERATION = {"key": "gpu", "operator": "Exists"}
IMAGE = [{"names": ["nginx:latest"], "sizeBytes": 700 * 1024 * 1024}]


def likes(app: str, key: str) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}


def soft(app: str, key: str) -> dict[str, Any]:
    return {"weight": 5, "podAffinityTerm": likes(app, key)}


HARD, SOFT = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
HOST = "kubernetes.io/hostname"
AFFINITIES: list[dict[str, Any]] = [
    {},
    {},
    {"podAffinity": {HARD: [likes("web", ZONE)]}},
    {"podAntiAffinity": {HARD: [likes("web", HOST)]}},
    {"podAntiAffinity": {HARD: [likes("db", ZONE)]}},
    {"podAffinity": {SOFT: [soft("db", ZONE)]}, "podAntiAffinity": {SOFT: [soft("web", HOST)]}},
    {
        "nodeAffinity": {
            SOFT: [
                {
                    "weight": 10,
                    "preference": {
                        "matchExpressions": [{"key": ZONE, "operator": "In", "values": ["a"]}]
                    },
                }
            ]
        }
    },
]


def spread(key: str, action: str) -> list[dict[str, Any]]:
    selector = {"matchLabels": {"app": "web"}}
    rule = {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": action}
    return [{**rule, "labelSelector": selector}]


SPREADS: list[list[dict[str, Any]]] = [
    [],
    [],
    spread(ZONE, "DoNotSchedule"),
    spread(HOST, "ScheduleAnyway"),
]

node_specs = st.fixed_dictionaries(
    {
        "cpu": st.sampled_from(["1", "2", "4"]),
        "pods": st.sampled_from(["2", "110"]),
        "zone": st.sampled_from(["a", "b", ""]),
        "taints": st.sampled_from([[], [], TAINTS[:1], TAINTS[1:]]),
        "unschedulable": st.sampled_from([False, False, False, True]),
        "images": st.sampled_from([[], IMAGE]),
    }
)
pod_specs = st.fixed_dictionaries(
    {
        "cpu": st.sampled_from(["", "200m", "500m", "1", "2"]),
        "memory": st.sampled_from(["", "1Gi"]),
        "app": st.sampled_from(["web", "db"]),
        "priority": st.sampled_from(["low", "middle", "high"]),
        "affinity": st.sampled_from(AFFINITIES),
        "spread": st.sampled_from(SPREADS),
        "port": st.sampled_from([0, 0, 8080]),
        "tolerates": st.booleans(),
        "selector": st.sampled_from([{}, {}, {ZONE: "a"}]),
        "policy": st.sampled_from(["PreemptLowerPriority", "PreemptLowerPriority", "Never"]),
    }
)
# Without these most Pods would fit, and most that do not would be beyond help.
roomless = node_specs.map(lambda spec: {**spec, "cpu": "1", "taints": [], "unschedulable": False})
modest = pod_specs.map(
    lambda spec: {**spec, "cpu": spec["cpu"] or "500m", "priority": "low", "selector": {}}
)
urgent = pod_specs.map(
    lambda spec: {**spec, "cpu": "1", "priority": "high", "selector": {}, "affinity": {}}
)


def worlds_of(nodes: Any, pods: Any, fewest: int) -> Any:
    placed = st.tuples(st.integers(0, 4), pods)
    return st.fixed_dictionaries(
        {
            "nodes": st.lists(nodes, min_size=2, max_size=5),
            "pods": st.lists(placed, min_size=fewest, max_size=8),
            "budget": st.booleans(),
            "service": st.booleans(),
        }
    )


worlds = worlds_of(node_specs, pod_specs, 0)
crowded = worlds_of(roomless, modest, 4)
# A world, and a Pod that wants to be in it.
cases = st.one_of(st.tuples(worlds, pod_specs), st.tuples(crowded, urgent))


def make_node(node: Any, number: int, spec: dict[str, Any]) -> Any:
    labels = {ZONE: spec["zone"]} if spec["zone"] else {}
    return node(
        f"n{number}",
        cpu=spec["cpu"],
        pods=spec["pods"],
        labels=labels,
        images=spec["images"],
        taints=spec["taints"],
        unschedulable=spec["unschedulable"],
    )


def make_pod(pod: Any, name: str, spec: dict[str, Any], **more: Any) -> Any:
    ports = [{"containerPort": 80, "hostPort": spec["port"]}] if spec["port"] else []
    return pod(
        name,
        cpu=spec["cpu"],
        memory=spec["memory"],
        labels={"app": spec["app"]},
        ports=ports,
        affinity=spec["affinity"],
        topologySpreadConstraints=spec["spread"],
        tolerations=[TOLERATION] if spec["tolerates"] else [],
        nodeSelector=spec["selector"],
        priority=PRIORITIES[spec["priority"]],
        priorityClassName=spec["priority"],
        preemptionPolicy=spec["policy"],
        **more,
    )


def budget() -> Any:
    """Nobody of app=db may be disturbed."""
    return load(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "db", "namespace": "default"},
            "spec": {"minAvailable": 99, "selector": {"matchLabels": {"app": "db"}}},
        }
    )


def service() -> Any:
    return load(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        }
    )
