"""Whose Pods are these: what Services and ReplicaSets select, and whom they really have.

`read(view, namespace)` gives the selectors, the labels and both kinds of membership: a Service has
the Pods in its EndpointSlices, a ReplicaSet those that name it in their ownerReferences. Neither
knows of the other; only labels count.

Rule of use: `matches` compares labels, `members` says what the controllers have written.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from k8slab.api import labels
from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod, Service
from k8slab.api.meta import is_controlled_by
from k8slab.viz.facts import ViewLike, endpoints_of, pod_state, short_pod_name, status_column

HASH = "pod-template-hash"


class Member(msgspec.Struct, frozen=True):
    """A Pod with its labels."""

    name: str
    short: str
    state: str
    status: str
    labels: Mapping[str, str]


class Group(msgspec.Struct, frozen=True):
    """A Service or a ReplicaSet: its selector, and the Pods it has."""

    kind: str
    name: str
    selector: str
    wanted: int  # replicas of a ReplicaSet, -1 for a Service
    matches: tuple[str, ...]  # Pods whose labels the selector selects
    members: tuple[tuple[str, bool], ...]  # Pods that it has; is it ready (Service), is it fine

    def names(self) -> list[str]:
        """Return the Pods that it has."""
        return [name for name, _ in self.members]


class Membership(msgspec.Struct, frozen=True):
    """Everything the figure shows."""

    services: tuple[Group, ...]
    replica_sets: tuple[Group, ...]
    pods: tuple[Member, ...]

    def orphans(self) -> list[str]:
        """Return the Pods that no ReplicaSet has."""
        owned = [name for group in self.replica_sets for name in group.names()]
        return [pod.name for pod in self.pods if pod.name not in owned]


def check_names(
    view: ViewLike, namespace: str, services: Sequence[str], sets: Sequence[str]
) -> None:
    """Raise ValueError if a Service or ReplicaSet of that name is not there."""
    kinds: tuple[tuple[Any, Sequence[str]], ...] = ((Service, services), (ReplicaSet, sets))
    for kind, names in kinds:
        there = [obj.metadata.name for obj in view.list(kind, namespace)] if names else []
        for name in names:
            if name not in there:
                known = f"there are {', '.join(there)}" if there else "there are none"
                raise ValueError(f"no {kind.__name__} {name!r} in namespace {namespace}: {known}")


def read(
    view: ViewLike,
    namespace: str,
    services: Sequence[str] = (),
    sets: Sequence[str] = (),
    pods_too: Sequence[str] = (),
) -> Membership:
    """Read a namespace; names limit what is shown: these, their Pods, and the Pods `pods_too`."""
    pods: list[Pod] = view.list(Pod, namespace)
    chosen = [
        _service(view, service, pods)
        for service in view.list(Service, namespace)
        if service.spec.selector and (not services or service.metadata.name in services)
    ]
    owners = [
        _replica_set(rs, pods)
        for rs in view.list(ReplicaSet, namespace)
        if (not sets or rs.metadata.name in sets) and _concerns(rs, pods)
    ]
    if services and not sets:
        owners = [rs for rs in owners if _share(rs, chosen, pods_too)]
    shown = [
        pod
        for pod in pods
        if not (services or sets)
        or pod.metadata.name in pods_too
        or _is_of(pod, [*chosen, *owners])
    ]
    order = {name: place for place, rs in enumerate(owners) for name in rs.names()}
    shown.sort(key=lambda pod: (order.get(pod.metadata.name, len(owners)), pod.metadata.name))
    return Membership(tuple(chosen), tuple(owners), tuple(_member(pod) for pod in shown))


def _concerns(rs: ReplicaSet, pods: list[Pod]) -> bool:
    """Say whether a ReplicaSet wants or has Pods; old ones of a Deployment do not."""
    return bool(rs.spec.replicas) or any(is_controlled_by(pod, rs) for pod in pods)


def _share(group: Group, others: list[Group], pods_too: Sequence[str]) -> bool:
    """Say whether a ReplicaSet has a Pod that is shown for another reason."""
    shown = [*pods_too, *(name for other in others for name in (*other.matches, *other.names()))]
    return any(name in shown for name in group.names())


def _is_of(pod: Pod, groups: list[Group]) -> bool:
    name = pod.metadata.name
    return any(name in group.matches or name in group.names() for group in groups)


def _service(view: ViewLike, service: Service, pods: list[Pod]) -> Group:
    selector = labels.from_labels(service.spec.selector)
    members = tuple((b.pod, b.ready) for b in endpoints_of(view, service) if b.pod)
    return Group(
        "Service", service.metadata.name, str(selector), -1, _matching(selector, pods), members
    )


def _replica_set(rs: ReplicaSet, pods: list[Pod]) -> Group:
    selector = labels.from_label_selector(rs.spec.selector)
    members = tuple((pod.metadata.name, True) for pod in pods if is_controlled_by(pod, rs))
    wanted = rs.spec.replicas if rs.spec.replicas is not None else 1
    return Group(
        "ReplicaSet", rs.metadata.name, str(selector), wanted, _matching(selector, pods), members
    )


def _matching(selector: labels.Selector, pods: list[Pod]) -> tuple[str, ...]:
    return tuple(p.metadata.name for p in pods if selector.matches(p.metadata.labels))


def _member(pod: Pod) -> Member:
    return Member(
        pod.metadata.name,
        short_pod_name(pod),
        pod_state(pod),
        status_column(pod),
        dict(sorted(pod.metadata.labels.items())),
    )


def shown_labels(pod: Member) -> str:
    """Return the labels as `kubectl get --show-labels` does, without the long hash."""
    found = [f"{key}={value}" for key, value in pod.labels.items() if "kubernetes.io/" not in key]
    ordered = sorted(found, key=lambda text: text.startswith(HASH))
    return ",".join(text.replace(HASH, "hash", 1) for text in ordered) or "no labels"


def describe(facts: Membership, title: str) -> str:
    """Write the membership in words: the text twin."""
    lines = [f"{title}:"]
    for group in (*facts.services, *facts.replica_sets):
        has = ", ".join(name if fine else f"{name} (not ready)" for name, fine in group.members)
        wanted = f", wants {group.wanted}" if group.wanted >= 0 else ""
        lines.append(f"  {group.kind} {group.name} selects {group.selector}{wanted}")
        lines.append(f"    has {len(group.members)}: {has or 'none'}")
    for pod in facts.pods:
        lines.append(f"  Pod {pod.name} {pod.status}: {shown_labels(pod)}")
    orphans = facts.orphans()
    if orphans:
        lines.append(f"  without a ReplicaSet: {', '.join(orphans)}")
    return "\n".join(lines)
