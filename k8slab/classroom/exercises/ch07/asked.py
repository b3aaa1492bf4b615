"""Exercise 07.1: a Pod looks up a short name; which names does the DNS server hear, in which order?

Rule of use: the queries are those of a real look-up in fresh clusters.

Upstream: none
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch07.stage import names_asked, town
from k8slab.classroom.exercises.worlds import seen
from k8slab.classroom.variants import pick
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

KEY = "07.1"
SEEDS = (1, 9)


class Asked(msgspec.Struct, frozen=True):
    """Who looks up what."""

    name: str
    namespace: str  # of the Pod
    ndots: int = 5  # in the Pod's resolv.conf

    @property
    def all(self) -> list[str]:
        """The name with each search domain, and as it is."""
        domains = (f"{self.namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local")
        return [*(f"{self.name}.{domain}" for domain in domains), self.name]


VARIANTS = (
    Asked("db.shop", "default"),
    Asked("web.default", "shop"),
    Asked("db.shop", "default", 1),
    Asked("crew.default", "shop", 2),
    Asked("web.default", "shop", 1),
)


def world(seed: int) -> Cluster:
    """Return two namespaces with Services in them."""
    return town(seed)


@cache
def observe(asked: Asked, seed: int) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Return the names that were asked for, and how each question ended."""
    cluster = world(seed)
    lookup = cluster.resolve(asked.name, namespace=asked.namespace, ndots=asked.ndots)
    evidence = tuple(seen(cluster, str(q)) for q in lookup.queries if q.type == "A")
    return tuple(names_asked(lookup)), evidence


def grade(asked: Asked, answer: Any) -> Finding:
    """Judge a list of names in order."""
    if isinstance(answer, str) or not isinstance(answer, list | tuple):
        return wrong_kind('names in order, such as ["web", "web.example"]', answer)
    if not answer or not all(isinstance(one, str) and one.strip() for one in answer):
        return wrong_kind('names in order, such as ["web", "web.example"]', answer)
    given = [one.strip().lower().rstrip(".") for one in answer]
    actual, evidence = observe(asked, SEEDS[0])
    assert all(observe(asked, seed)[0] == actual for seed in SEEDS), "seeds differ"
    if given == list(actual):
        return right(
            f"Right. {_rule(asked)}, from the Pod's own namespace outwards. The first name that "
            "exists ends it.",
            evidence,
        )
    return _explain(asked, given, list(actual), evidence)


def _rule(asked: Asked) -> str:
    """Return which comes first, and why."""
    dots = asked.name.count(".")
    has = f"{asked.name} has {dots} dot{'s' * (dots != 1)}, and ndots is {asked.ndots}"
    if dots < asked.ndots:
        return f"{has}: names with fewer dots try the search list first"
    return f"{has}: names with so many dots are tried as they are first, then with the search list"


def _explain(
    asked: Asked, given: list[str], actual: list[str], evidence: tuple[Evidence, ...]
) -> Finding:
    if (given[0] == asked.name) is not (actual[0] == asked.name):
        return wrong(f"{_rule(asked)}.", 19, evidence[:1])
    for name in given:
        if name in asked.all and name not in actual:
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
            "One is missing: the search list begins with the Pod's own namespace, which is "
            f"{asked.namespace}.",
            19,
            evidence,
        )
    return almost("The names are right, and their order is that of resolv.conf.", 19, evidence)


def variant(asked: Asked) -> Exercise:
    """Return the exercise with that look-up."""
    dots = "" if asked.ndots == 5 else f", and its dnsConfig sets ndots to {asked.ndots}"
    return Exercise(
        key=KEY,
        title="What the server hears",
        points=1,
        hints=(
            "The Pod's resolv.conf has three search domains. Put each behind the name, in order.",
            "Count the dots: has the name fewer than ndots? And where does the Service live? The "
            "search ends at the first name that exists.",
            f"{_rule(asked)}.",
        ),
        grade=partial(grade, asked),
        world=world,
        task=f"a Pod in namespace `{asked.namespace}` looks up `{asked.name}`{dots}.",
        variant_for=variant_for,
    )


def variant_for(learner: str) -> Exercise:
    """Return the learner's own."""
    return variant(pick(learner, KEY, VARIANTS))


EXERCISE = variant(VARIANTS[0])
