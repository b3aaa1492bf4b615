"""What several controllers share: expectations, Pods of templates, slow start, hashes.

`Expectations` lets a loop wait until it has seen what it did. `pod_from_template` makes a Pod of
a template, `slow_start` creates many in batches of 1, 2, 4, ... `decide` puts a decision into the
trace, as the cause of the writes that follow.

Rule of use: only what two controllers need; a controller never imports another.

Upstream: pkg/controller/controller_utils.go, pkg/api/v1/pod/util.go
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeAlias

import msgspec

from k8slab.api.core import Pod, PodTemplateSpec
from k8slab.api.errors import ApiError
from k8slab.api.go_dump import dump
from k8slab.api.meta import Object, ObjectMeta, OwnerReference, controller_of
from k8slab.client import ConnectionFailed, WorkQueue, key_of
from k8slab.sim import Simulation, Task

EXPECTATIONS_TIMEOUT = 300.0  # s, ExpectationsTimeout
SLOW_START_INITIAL_BATCH = 1  # SlowStartInitialBatchSize
Action: TypeAlias = Callable[[], Coroutine[Any, Any, object]]  # something to be done
BY_CONTROLLER = "controller"  # name of the index that `controller_index` fills


# -- Pods


def pod_from_template(template: PodTemplateSpec, parent: Object, owner: OwnerReference) -> Pod:
    """Return the Pod to be created for `parent`; the API server completes its name."""
    meta = template.metadata
    return Pod(
        metadata=ObjectMeta(
            generateName=f"{parent.metadata.name}-",
            namespace=parent.metadata.namespace,
            labels=meta.labels,
            annotations=meta.annotations,
            finalizers=meta.finalizers,
            ownerReferences=(owner,),
        ),
        spec=template.spec,
    )


# -- owners and numbers


def controller_reference(owner: Object) -> OwnerReference:
    """Return the reference by which an object says that `owner` manages it."""
    return OwnerReference(
        apiVersion=owner.apiVersion,
        kind=owner.kind,
        name=owner.metadata.name,
        uid=owner.metadata.uid,
        controller=True,
        blockOwnerDeletion=True,
    )


def controller_index(obj: Object) -> Iterable[str]:
    """Index an object by its controller's uid; without one by its namespace, as an orphan."""
    reference = controller_of(obj)
    return (reference.uid,) if reference is not None else (orphans_of(obj.metadata.namespace),)


def orphans_of(namespace: str) -> str:
    """Return the key under which `controller_index` keeps the orphans of a namespace."""
    return f"orphans/{namespace}"


# -- hashes

SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no hash spells a word


def compute_hash(template: PodTemplateSpec, collision_count: int | None) -> str:
    """Return the pod-template-hash of a template: equal templates have equal hashes.

    A name that is taken by another template is evaded by counting the collision up. The hash is
    upstream's own, so a Pod has the same name here as on a real cluster, but for its suffix.
    """
    text = dump(template, "v1.PodTemplateSpec").encode()
    if collision_count is not None:
        text += collision_count.to_bytes(8, "little")
    return safe_encode(fnv32a(text))


def fnv32a(data: bytes) -> int:
    """Return the 32-bit FNV-1a hash.

    >>> hex(fnv32a(b"a"))
    '0xe40c292c'
    """
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def fnv32(data: bytes) -> int:
    """Return the 32-bit FNV-1 hash, which multiplies first.

    >>> hex(fnv32(b"a"))
    '0x50c5d7e'
    """
    value = 0x811C9DC5
    for byte in data:
        value = value * 0x01000193 & 0xFFFFFFFF ^ byte
    return value


def safe_encode(number: int) -> str:
    """Write a number with letters and digits that may stand in names.

    Upstream: SafeEncodeString in staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go
    """
    return "".join(SAFE_ALPHABET[ord(digit) % len(SAFE_ALPHABET)] for digit in str(number))


# -- loops


def decide(sim: Simulation, component: str, obj: Object, decision: str) -> None:
    """Put a decision about an object into the trace; what follows is caused by it."""
    sim.cause = sim.trace.add(component, "decide", f"{obj.kind}/{key_of(obj)}", decision)


async def work(
    sim: Simulation, queue: WorkQueue, sync: Callable[[str], Awaitable[None]], workers: int
) -> None:
    """Work on the queue for ever with so many workers; each key has at most one at a time."""
    for number in range(1, workers):
        sim.spawn(queue.run(sync), f"{queue.name}: worker {number + 1}")
    await queue.run(sync)


async def in_parallel(sim: Simulation, actions: list[Action], name: str) -> list[Exception | None]:
    """Start all actions at once and return how each ended, None if well."""
    tasks: list[Task[Exception | None]] = [sim.spawn(_outcome(act), name) for act in actions]
    return [await task for task in tasks]


async def slow_start(
    sim: Simulation, count: int, action: Action, name: str
) -> tuple[int, Exception | None]:
    """Do `action` `count` times in parallel batches of 1, 2, 4, ...; stop after a batch that fails.

    Returns how often it succeeded, and the first failure: a quota that is used up costs a few
    refused calls instead of `count` of them.
    """
    done, batch = 0, min(count, SLOW_START_INITIAL_BATCH)
    while batch > 0:
        outcomes = await in_parallel(sim, [action] * batch, name)
        failures = [outcome for outcome in outcomes if outcome is not None]
        done += batch - len(failures)
        if failures:
            return done, failures[0]
        count -= batch
        batch = min(count, 2 * batch)
    return done, None


async def _outcome(action: Action) -> Exception | None:
    try:
        await action()
    except (ApiError, ConnectionFailed) as error:
        return error
    return None


class _Awaited(msgspec.Struct, gc=False):
    since: float
    creations: int = 0
    deletions: dict[str, None] = msgspec.field(default_factory=dict)  # keys of Pods


class Expectations:
    """What a loop did and has not yet heard of: until then its picture of the world is old.

        expect 2 creations of rs    -> satisfied? no
        the informer shows one Pod  -> no
        the informer shows another  -> yes: only now decide again

    Upstream: ControllerExpectations, UIDTrackingControllerExpectations
    """

    def __init__(self) -> None:
        self._awaited: dict[str, _Awaited] = {}

    def satisfied(self, key: str, now: float) -> bool:
        """Say whether everything done for the key was seen, or should have been by `now`."""
        awaited = self._awaited.get(key)
        if awaited is None or (awaited.creations <= 0 and not awaited.deletions):
            return True
        return now - awaited.since > EXPECTATIONS_TIMEOUT

    def expect(self, key: str, now: float, *, creations: int = 0, deletions: Iterable[str]) -> None:
        """Wait for so many new Pods, and for the end of the Pods with these keys."""
        self._awaited[key] = _Awaited(now, creations, dict.fromkeys(deletions))

    def creation_seen(self, key: str, count: int = 1) -> None:
        """Note that new Pods were seen, or will never come."""
        if key in self._awaited:
            self._awaited[key].creations -= count

    def deletion_seen(self, key: str, pod: str) -> None:
        """Note that a Pod was seen to go, or will stay."""
        if key in self._awaited:
            self._awaited[key].deletions.pop(pod, None)

    def forget(self, key: str) -> None:
        """Wait for nothing any more: the owner is gone."""
        self._awaited.pop(key, None)
