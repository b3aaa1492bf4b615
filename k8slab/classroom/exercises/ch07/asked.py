"""Exercise 07.1: a Pod looks up a short name; which names does the DNS server hear, in which order?

Rule of use: the queries are those of a real look-up in fresh clusters.

Upstream: none
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch07.stage import names_asked, town
from k8slab.classroom.exercises.worlds import seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (1, 9)
NAME, NAMESPACE = "db.shop", "default"
SEARCH = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local")
NEEDLESS = f"{NAME}.{SEARCH[2]}"


def world(seed: int) -> Cluster:
    """Return two namespaces with Services in them."""
    return town(seed)


@cache
def observe(seed: int) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Return the names that were asked for, and how each question ended."""
    cluster = world(seed)
    lookup = cluster.resolve(NAME, namespace=NAMESPACE)
    evidence = tuple(seen(cluster, str(q)) for q in lookup.queries if q.type == "A")
    return tuple(names_asked(lookup)), evidence


def grade(answer: Any) -> Finding:
    """Judge a list of names in order."""
    if isinstance(answer, str) or not isinstance(answer, list | tuple):
        return wrong_kind('names in order, such as ["web", "web.example"]', answer)
    if not answer or not all(isinstance(one, str) and one.strip() for one in answer):
        return wrong_kind('names in order, such as ["web", "web.example"]', answer)
    given = [one.strip().lower().rstrip(".") for one in answer]
    actual, evidence = observe(SEEDS[0])
    assert all(observe(seed)[0] == actual for seed in SEEDS), "seeds differ"
    if given == list(actual):
        return right(
            "Right. Two dots fewer than ndots, so the search list comes first, from the Pod's own "
            "namespace outwards. The first name that exists ends it.",
            evidence,
        )
    return _explain(given, list(actual), evidence)


def _explain(given: list[str], actual: list[str], evidence: tuple[Evidence, ...]) -> Finding:
    if given[0] == NAME:
        return wrong(
            f"{NAME} has one dot, and ndots is 5: names with fewer dots try the search list first.",
            19,
            evidence[:1],
        )
    for name in given:
        if name == NEEDLESS or (name == NAME and name not in actual):
            return almost(
                f"{name} is not asked for any more: a name before it exists, and the search ends.",
                19,
                evidence,
            )
        if name not in actual:
            return wrong(
                f"Nobody asks for {name}. A search puts one domain of resolv.conf behind the name, "
                "and changes nothing else.",
                19,
                evidence[:1],
            )
    if len(given) < len(actual):
        return almost(
            "One is missing: the search begins in the Pod's own namespace, which is not shop.",
            19,
            evidence,
        )
    return almost("The names are right, and their order is that of resolv.conf.", 19, evidence)


EXERCISE = Exercise(
    key="07.1",
    title="What the server hears",
    points=1,
    hints=(
        "The Pod's resolv.conf has three search domains. Put each behind the name, in order.",
        "Where does the Service live? The search ends at the first name that exists.",
        "Two names are asked for. The first has default in it.",
    ),
    grade=grade,
    world=world,
)
