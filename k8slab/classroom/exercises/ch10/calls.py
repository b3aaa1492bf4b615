"""The worlds of exercise 10.2: Services and Pods to build slices of, and what the engine builds.

Rule of use: `cases()` is made from seeds alone; the engine's `plan` is asked once for each.

Upstream: none
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from k8slab.api import load
from k8slab.api.core import Node, Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.control_plane.controllers.endpoint_slice.reconciler import plan

WORLDS = 18
KINDS = ("plain", "ended", "named", "two ports", "open", "many")
MANY = 230  # Pods that share three slices

Ports = frozenset[tuple[str, int]]  # names and numbers


class Row(msgspec.Struct, frozen=True):
    """What the slices say of one address."""

    ports: Ports
    ready: bool
    serving: bool
    terminating: bool


class Case(msgspec.Struct, frozen=True):
    """One question to the answer: a Service, its Pods, and the rows that the engine writes."""

    seed: int
    kind: str
    service: Service
    pods: tuple[Pod, ...]
    wanted: dict[str, Row]  # by address


@cache
def cases() -> tuple[Case, ...]:
    """Return the worlds, each kind with several seeds."""
    return tuple(_case(seed, KINDS[seed % len(KINDS)]) for seed in range(WORLDS))


def rows(slices: Iterable[EndpointSlice]) -> list[tuple[str, Row]]:
    """Return address and row of every endpoint; those that no port leads to are left out."""
    found = []
    for one in slices:
        ports = frozenset((port.name or "", port.port or 0) for port in one.ports)
        for endpoint in one.endpoints if ports else ():
            said = endpoint.conditions
            row = Row(ports, said.ready is not False, bool(said.serving), bool(said.terminating))
            found += [(address, row) for address in endpoint.addresses]
    return found


def _case(seed: int, kind: str) -> Case:
    dice = random.Random(f"10.2/{seed}")
    service, pods = _service(kind), _pods(kind, dice)
    nodes = [Node(metadata=load(_node("worker-1")).metadata)]
    return Case(seed, kind, service, tuple(pods), dict(rows(plan(service, pods, nodes))))


def _node(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}


def _service(kind: str) -> Service:
    ports: list[dict[str, Any]] = [{"port": 80, "targetPort": 8080}]
    if kind == "named":
        ports = [{"port": 80, "targetPort": "http"}]
    if kind == "two ports":
        ports = [
            {"name": "web", "port": 80, "targetPort": "http"},
            {"name": "stats", "port": 9090, "targetPort": 9090},
        ]
    spec: dict[str, Any] = {"selector": {"team": "cabs"}, "ports": ports, "ipFamilies": ["IPv4"]}
    spec["publishNotReadyAddresses"] = kind == "open"
    made = load({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "calls", "namespace": "default", "uid": "calls"},
        "spec": spec,
    })  # fmt: skip
    assert isinstance(made, Service)
    return made


def _pods(kind: str, dice: random.Random) -> list[Pod]:
    count = MANY if kind == "many" else 6
    pods = [_pod(number, dice, kind) for number in range(count)]
    if kind == "ended":
        pods.append(_pod(100, dice, kind, phase=dice.choice(("Succeeded", "Failed"))))
        pods.append(_pod(101, dice, kind, phase="Pending", ip=""))
    dice.shuffle(pods)
    return pods


def _pod(number: int, dice: random.Random, kind: str, phase: str = "Running", ip: str = "?") -> Pod:
    ready = phase == "Running" and (kind == "many" or number == 0 or dice.random() < 0.6)
    leaving = number in (1, 2) and kind in ("plain", "open")
    ports = []
    if kind in ("named", "two ports") and number != 3:  # one Pod has no port of that name
        ports = [{"name": "http", "containerPort": 8080 if number % 2 else 80}]
    made = load({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"cab-{number}",
            "namespace": "default",
            "uid": f"cab-{number}",
            "labels": {"team": "cabs"},
            "deletionTimestamp": "2026-01-01T01:00:00Z" if leaving else None,
        },
        "spec": {
            "nodeName": "worker-1" if ip else "",
            "containers": [{"name": "main", "image": "cab", "ports": ports}],
        },
        "status": {
            "phase": phase,
            "podIP": f"10.244.{number // 250}.{number % 250 + 2}" if ip else "",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    })  # fmt: skip
    assert isinstance(made, Pod)
    return made
