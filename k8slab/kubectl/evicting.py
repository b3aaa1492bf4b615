"""The Pods of a node that is drained: evicted or deleted, and waited for.

All are asked to go at once. An eviction that a budget forbids is tried again every 5 s, while the
others go.

Rule of use: `evict_all` and `delete_all` raise PodsRemain when the time is over.

Upstream: staging/src/k8s.io/kubectl/pkg/drain/drain.go
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8slab.api.core import Pod
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, ObjectMeta
from k8slab.api.policy import Eviction
from k8slab.api.scheme import resource_for
from k8slab.kubectl.delete import gone
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.resources import Found

RETRY = 5.0  # s, between attempts at an eviction that a budget forbids
EXPIRED = "context deadline exceeded"


class PodsRemain(Exception):  # noqa: N818 (it says what is wrong)
    """Pods that are still there; a problem for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def name_of(pod: Pod) -> str:
    """Return how messages call a Pod."""
    return f"{pod.metadata.namespace}/{pod.metadata.name}"


async def evict_all(call: Invocation, pods: Sequence[Pod], until: float) -> None:
    """Evict all Pods and wait until they are gone; raises PodsRemain."""
    refused, leaving, problems = list(pods), list[Pod](), list[str]()
    while refused:
        for pod in refused:
            call.print(f"evicting pod {name_of(pod)}{call.dry_run_note}")
        if call.now >= until:
            timeout = f"global timeout reached: {call.flags.text('timeout')}"
            problems += [f"error when evicting {_quoted(pod)}: {timeout}" for pod in refused]
            break
        again = []
        for pod in refused:
            if call.dry_run != "client" and not await _evict(call, pod):
                again.append(pod)
            else:
                leaving.append(pod)
        refused = again
        if refused:
            turn = call.now + RETRY
            leaving = await _remaining(call, leaving, min(turn, until), "evicted")
            await call.around.sleep(max(0.0, turn - call.now))
    for pod in await _remaining(call, leaving, until, "evicted"):
        meta = pod.metadata
        where = f'pod "{meta.name}" in namespace "{meta.namespace}"'
        problems.append(f"error when waiting for {where} to terminate: {EXPIRED}")
    if problems:
        raise PodsRemain(problems)


async def delete_all(call: Invocation, pods: Sequence[Pod], until: float) -> None:
    """Delete all Pods, whatever budgets say, and wait until they are gone; raises PodsRemain."""
    for pod in pods:
        if call.dry_run == "client":
            call.print(f"evicting pod {name_of(pod)}{call.dry_run_note}")
            continue
        fields: dict[str, Any] = {"namespace": pod.metadata.namespace, "name": pod.metadata.name}
        await call.request("delete", resource_for(Pod), body=_options(call), **fields)
    if await _remaining(call, list(pods), until, "deleted"):
        raise PodsRemain([EXPIRED])


async def _remaining(call: Invocation, pods: Sequence[Pod], until: float, done: str) -> list[Pod]:
    """Wait for Pods to be gone, say which are, and return those that are left."""
    if call.dry_run != "none":
        return []
    left = []
    for pod in pods:
        meta = pod.metadata
        target = Found(resource_for(Pod), meta.namespace, meta.name)
        if await gone(call, target, meta.uid, until):
            call.print(f"pod/{meta.name} {done}")
        else:
            left.append(pod)
    return left


async def _evict(call: Invocation, pod: Pod) -> bool:
    """Ask for one eviction; False if a budget forbids it now."""
    meta = pod.metadata
    body = Eviction(
        metadata=ObjectMeta(name=meta.name, namespace=meta.namespace), deleteOptions=_options(call)
    )
    fields: dict[str, Any] = {"namespace": meta.namespace, "name": meta.name}
    try:
        await call.request("create", resource_for(Pod), subresource="eviction", body=body, **fields)
    except ApiError as error:
        if error.reason == "NotFound":
            return True
        if error.reason != "TooManyRequests":
            raise PodsRemain([f"error when evicting {_quoted(pod)}: {error.message}"]) from None
        call.say(f"error when evicting {_quoted(pod)} (will retry after 5s): {error.message}")
        return False
    return True


def _options(call: Invocation) -> DeleteOptions:
    grace = call.flags.number("grace-period")
    return DeleteOptions(gracePeriodSeconds=grace if grace >= 0 else None)


def _quoted(pod: Pod) -> str:
    return f'pods/"{pod.metadata.name}" -n "{pod.metadata.namespace}"'
