"""Exercise 07.2: write four names so that each takes one question, and finds what it found before.

Rule of use: a form is right if its first question is answered with the same addresses.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch07.stage import names_asked, town
from k8slab.classroom.exercises.worlds import seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong, wrong_kind
from k8slab.linux.resolver import Lookup

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (2, 14)
NAMES = ("web", "db.shop", "example.com", "partner")
NAMESPACE = "default"


def world(seed: int) -> Cluster:
    """Return two namespaces with Services in them."""
    return town(seed)


@cache
def before(seed: int, name: str) -> frozenset[str]:
    """Return the addresses that the plain name has."""
    return frozenset(world(seed).resolve(name, namespace=NAMESPACE).addresses)


def grade(answer: Any) -> Finding:
    """Judge a mapping of the four names to the forms in which they shall be written."""
    expected = 'a form for each name, such as {"web": "web.default", ...}'
    if not isinstance(answer, Mapping) or not answer:
        return wrong_kind(expected, answer)
    if any(n not in NAMES or not isinstance(form, str) or not form for n, form in answer.items()):
        return wrong_kind(expected, answer)
    for name in NAMES:
        if name not in answer:
            return wrong(f"How shall {name} be written?")
    for seed in SEEDS:
        finding = _try(seed, answer)
        if finding is not None:
            return finding
    cluster = world(SEEDS[0])
    found = [cluster.resolve(form, namespace=NAMESPACE) for form in answer.values()]
    return right(
        "Right: four names, four questions, where the plain ones took "
        f"{sum(len(names_asked(cluster.resolve(n))) for n in NAMES)}. A dot at the end says: this "
        "is the whole name.",
        tuple(seen(cluster, str(lookup.queries[0])) for lookup in found),
    )


def _try(seed: int, answer: Mapping[str, str]) -> Finding | None:
    cluster = world(seed)
    total = 0
    worst: tuple[int, str, Lookup] | None = None
    for name in NAMES:
        lookup = cluster.resolve(answer[name], namespace=NAMESPACE)
        if frozenset(lookup.addresses) != before(seed, name):
            said = f"{name} as {answer[name]!r}: {lookup.error or ', '.join(lookup.addresses)}"
            return wrong(
                f"{answer[name]!r} does not find what {name} finds. A dot at the end leaves no "
                "room for the search list: then the name must be whole.",
                19,
                (seen(cluster, said),),
            )
        count = len(names_asked(lookup))
        total += count
        if worst is None or count > worst[0]:
            worst = (count, name, lookup)
    if total == len(NAMES):
        return None
    assert worst is not None
    count, name, lookup = worst
    finding = almost if total <= len(NAMES) + 2 else wrong
    return finding(
        f"All four are found, with {total} questions instead of {len(NAMES)}. {name} as "
        f"{answer[name]!r} takes {count}: {', '.join(names_asked(lookup))}.",
        19,
        (seen(cluster, f"{name} as {answer[name]!r}: {count} questions"),),
    )


EXERCISE = Exercise(
    key="07.2",
    title="The fewest questions",
    points=2,
    hints=(
        "What does the search list do with a name that ends with a dot?",
        "A Service's whole name is NAME.NAMESPACE.svc.cluster.local, and a dot.",
        "example.com. for the name outside; the three others are Services, one of them in shop.",
    ),
    grade=grade,
    world=world,
)
