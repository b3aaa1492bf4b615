"""The ships and crates of exercise 05.3: questions to a filter, and worlds to be packed.

`cases()` are Pods, each before one node with Pods on it: does it fit? `stow(plugins, seed)` lets a
scheduler with these plugins place many small Pods and then three large ones.

Rule of use: the engine's NodeResourcesFit is the judge of cases; everything comes from seeds.

Upstream: none
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from k8slab.api import load
from k8slab.api.core import Node, Pod
from k8slab.control_plane.scheduler import explain
from k8slab.control_plane.scheduler.profile import DEFAULT_PLUGINS

CASES = 28
KINDS = ("cpu", "fits", "memory", "exact", "several", "nothing", "pods")
SEEDS = (1, 2, 3)
NODES, LARGE = 5, 3
LARGE_CPU = 3500  # millicores: a node that holds anything small has no room for it
REPLACED = ("NodeResourcesFit", "NodeResourcesBalancedAllocation")
FAILED = ("running Score plugins", "filter plugin: ", "applying score")  # how a failure begins


class Case(msgspec.Struct, frozen=True):
    """One question, and the engine's answer."""

    kind: str
    pod: Pod
    node: Node
    pods: tuple[Pod, ...]
    fits: bool


class Stowed(msgspec.Struct, frozen=True):
    """What became of one world."""

    nodes: Mapping[str, str]  # by Pod, the placed ones
    large: int  # of them, large ones
    failure: str = ""  # what a plugin did wrong


def profile(plugin: Any) -> list[Any]:
    """Return the default plugins, those that look at requests replaced by one."""
    return [*(kind.name for kind, _ in DEFAULT_PLUGINS if kind.name not in REPLACED), plugin]


@cache
def cases() -> tuple[Case, ...]:
    """Return the questions."""
    return tuple(_case(number, KINDS[number % len(KINDS)]) for number in range(CASES))


def _case(number: int, kind: str) -> Case:
    dice = random.Random(f"05.3/{number}")
    limit = 3 if kind == "pods" else 110
    there = [_pod(f"there-{n}", dice.randrange(300, 900, 50), 700) for n in range(3)]
    free = 4000 - sum(int(p.spec.containers[0].resources.requests["cpu"][:-1]) for p in there)
    wants = {
        "cpu": [(free + 50, 100)],
        "memory": [(100, 8000 - 3 * 700 + dice.randrange(1, 400))],
        "exact": [(free, 8000 - 3 * 700)],
        "several": [(free // 2 + dice.choice((-100, 100)), 200)] * 2,
        "nothing": [(0, 0)],
        "pods": [(100, 100)],
    }.get(kind, [(free - dice.randrange(50, 500, 50), 300)])
    if kind == "nothing":
        there = [_pod("there", 4000, 8000)]
    pod = _pod("asks", *wants[0], more=wants[1:])
    node = _node("ship", limit)
    decision = explain(pod, [node], there, plugins=("NodeResourcesFit",))
    return Case(kind, pod, node, tuple(there), bool(decision.feasible))


def _node(name: str, limit: int = 110) -> Node:
    amounts = {"cpu": "4", "memory": "8000Mi", "pods": str(limit)}
    node = load({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"capacity": amounts, "allocatable": amounts},
    })  # fmt: skip
    assert isinstance(node, Node)
    return node


def _pod(
    name: str, cpu: int, memory: int, node: str = "ship", more: Sequence[tuple[int, int]] = ()
) -> Pod:
    """Return a Pod that asks for millicores and MiB; its limits are twice that."""
    containers = [
        {
            "name": f"part-{number}",
            "image": "busybox:1.37",
            "resources": {
                "requests": {"cpu": f"{cores}m", "memory": f"{mebibytes}Mi"},
                "limits": {"cpu": f"{2 * cores}m", "memory": f"{2 * mebibytes}Mi"},
            }
            if cores
            else {},
        }
        for number, (cores, mebibytes) in enumerate(((cpu, memory), *more))
    ]
    pod = load({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"nodeName": "" if name == "asks" else node, "containers": containers},
    })  # fmt: skip
    assert isinstance(pod, Pod)
    return pod


def stow(plugins: Sequence[Any] | None, seed: int) -> Stowed:
    """Place what arrives, one after the other, and say what found a node."""
    nodes = [_node(f"ship-{number}") for number in range(1, NODES + 1)]
    placed: list[Pod] = []
    for pod in arrivals(seed):
        decision = explain(pod, nodes, placed, plugins=plugins)
        if any(words in decision.event for words in FAILED):
            return Stowed({}, 0, decision.event)
        if decision.best:
            spec = msgspec.structs.replace(pod.spec, nodeName=decision.best[0])
            placed.append(msgspec.structs.replace(pod, spec=spec))
    large = [pod for pod in placed if pod.metadata.name.startswith("large")]
    return Stowed({pod.metadata.name: pod.spec.nodeName for pod in placed}, len(large))


def arrivals(seed: int) -> list[Pod]:
    """Return small Pods that would fit on two nodes, then large ones for the other three."""
    dice = random.Random(f"05.3/ships/{seed}")
    sizes: list[int] = []
    while sum(sizes) < 5400:
        sizes.append(dice.randrange(400, 800, 50))
    pods = [
        _pod(f"small-{number}", size, dice.randrange(50, 300, 50), node="")
        for number, size in enumerate(sizes, 1)
    ]
    return pods + [_pod(f"large-{n}", LARGE_CPU, 500, node="") for n in range(1, LARGE + 1)]
