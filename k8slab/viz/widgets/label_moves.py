"""What moving one label does: the outcome, read off the membership before and after.

`outcome(before, after, pod)` says what became of the Pod for Services and for ReplicaSets;
`judge` compares a prediction with it and explains, in terms of labels and selectors.

Rule of use: pure; the label magnet moves the label and lets time pass.

Upstream: none
"""

from __future__ import annotations

import msgspec

from k8slab.viz.membership_facts import Group, Membership

LOSES, GAINS, SAME = "loses it", "gains it", "nothing changes"
MAKES, DELETES, NOTHING = "makes a new Pod", "deletes a Pod", "does nothing"
FOR_SERVICE = (LOSES, GAINS, SAME)
FOR_REPLICA_SET = (MAKES, DELETES, NOTHING)


class Outcome(msgspec.Struct, frozen=True):
    """What happened when a label was moved."""

    pod: str
    lost: tuple[str, ...]  # Services that no longer have the Pod
    gained: tuple[str, ...]  # Services that have it now
    released: tuple[str, ...]  # ReplicaSets that no longer own it
    adopted: tuple[str, ...]  # ReplicaSets that own it now
    made: tuple[str, ...]  # new Pods
    deleted: tuple[str, ...]  # Pods that are gone or going


def outcome(before: Membership, after: Membership, pod: str) -> Outcome:
    """Compare two moments."""
    earlier, later = _pods(before), _pods(after)
    return Outcome(
        pod,
        lost=_without(before.services, after.services, pod),
        gained=_without(after.services, before.services, pod),
        released=_without(before.replica_sets, after.replica_sets, pod),
        adopted=_without(after.replica_sets, before.replica_sets, pod),
        made=tuple(name for name in later if name not in earlier),
        deleted=tuple(
            name
            for name, state in earlier.items()
            if state != "Terminating" and later.get(name, "Terminating") == "Terminating"
        ),
    )


def _pods(facts: Membership) -> dict[str, str]:
    return {pod.name: pod.state for pod in facts.pods}


def _without(some: tuple[Group, ...], others: tuple[Group, ...], pod: str) -> tuple[str, ...]:
    """Return the groups among `some` that have the Pod, unless it is in them among `others` too."""
    there = [group.name for group in others if pod in group.names()]
    return tuple(g.name for g in some if pod in g.names() and g.name not in there)


def right_answers(result: Outcome) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return every right prediction: for the Services, for the ReplicaSets."""
    service = (LOSES,) * bool(result.lost) + (GAINS,) * bool(result.gained)
    replica_set = (MAKES,) * bool(result.made) + (DELETES,) * bool(result.deleted)
    return service or (SAME,), replica_set or (NOTHING,)


def judge(service: str, replica_set: str, result: Outcome) -> str:
    """Say how a prediction came out, and why it came out so."""
    for_service, for_set = right_answers(result)
    first = _verdict(service in for_service, "Service", service)
    second = _verdict(replica_set in for_set, "ReplicaSet", replica_set)
    return f"{first} {_service_story(result)}\n{second} {_set_story(result)}"


def _verdict(right: bool, kind: str, said: str) -> str:
    return f"{kind}: right." if right else f'{kind}: you said "{said}".'


def _service_story(result: Outcome) -> str:
    if result.lost:
        names = ", ".join(result.lost)
        return f"{names} lost {result.pod}: its labels no longer match the selector."
    if result.gained:
        names = ", ".join(result.gained)
        return (
            f"{names} gained {result.pod}: its labels match the selector, and nothing else counts."
        )
    return "The labels match the same Service selectors as before."


def _set_story(result: Outcome) -> str:
    if result.released:
        names = ", ".join(result.released)
        made = f" and made {', '.join(result.made)}" if result.made else ""
        return f"{names} let {result.pod} go{made}. The Pod runs on, without an owner."
    if result.adopted:
        names = ", ".join(result.adopted)
        deleted = f", which was one too many: {', '.join(result.deleted)} is going" * bool(
            result.deleted
        )
        return f"{names} adopted {result.pod}{deleted}."
    if result.made:
        return f"{', '.join(result.made)} was made."
    if result.deleted:
        return f"{', '.join(result.deleted)} is going."
    return "Its selector does not ask for this label, so it counts the Pod as before."
