"""Exercise 07.3: the learner writes the search list: `queries(name, search, ndots)`.

It is held against the resolver's own for many names, search lists and ndots, and then every Pod of
a cluster looks names up with it.

Rule of use: `k8slab.linux.resolver.queries` is the judge.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import call
from k8slab.classroom.exercises.ch07.stage import town
from k8slab.classroom.exercises.worlds import seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong, wrong_kind
from k8slab.linux.resolver import ResolutionError, queries

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

LIVE_SEED = 3
SEARCHES: tuple[tuple[str, ...], ...] = (
    ("default.svc.cluster.local", "svc.cluster.local", "cluster.local"),
    ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"),
    (),
)
NAMES = (
    *("web", "web.shop", "web.shop.svc", "example.com", "www.example.com", "a.b.c.d.e.f"),
    *("web.", "example.com.", "web.shop.svc.cluster.local", "web.shop.svc.cluster.local."),
)
NDOTS = (1, 2, 5)
LIVE = ("web", "db.shop", "example.com", "web.default.svc.cluster.local.")


def world(seed: int) -> Cluster:
    """Return two namespaces with Services in them."""
    return town(seed)


def wanted(name: str, search: tuple[str, ...], ndots: int) -> list[str]:
    """Return what the resolver asks for."""
    conf = (
        f"search {' '.join(search)}\noptions ndots:{ndots}" if search else f"options ndots:{ndots}"
    )
    return queries(name, conf)


def grade(answer: Any) -> Finding:
    """Judge a function queries(name, search, ndots)."""
    if not callable(answer):
        return wrong_kind("the function queries(name, search, ndots)", answer)
    cases = list(product(NAMES, SEARCHES, NDOTS))
    wrongs = []
    for name, search, ndots in cases:
        given = call(answer, name, list(search), ndots)
        if isinstance(given, str) or not isinstance(given, list | tuple):
            return wrong_kind("a list of names from your function", given)
        said = [str(one).rstrip(".") for one in given]
        actual = wanted(name, search, ndots)
        if said != actual:
            wrongs.append((name, search, ndots, said, actual))
    if not wrongs:
        return _live(answer)
    name, search, ndots, said, actual = min(wrongs, key=lambda case: (len(case[1]), case[0]))
    share = f"{len(cases) - len(wrongs)} of {len(cases)} cases are right."
    what = f"{name!r} with ndots {ndots} and {len(search)} search domains"
    message = f"{share} For {what} you ask {said}; the resolver asks {actual}."
    finding = almost if len({case[0] for case in wrongs}) == 1 else wrong
    return finding(f"{message} {_why(name, ndots)}", 19)


def _why(name: str, ndots: int) -> str:
    if name.endswith("."):
        return "A dot at the end says that the name is whole: it is asked for as it is, alone."
    if name.count(".") >= ndots:
        return f"It has {name.count('.')} dots, at least ndots: as it is first, then the search."
    return f"It has {name.count('.')} dots, fewer than ndots: the search first, as it is last."


def _live(answer: Callable[..., Any]) -> Finding:
    """Let every Pod look names up with it."""

    def search(name: str, conf: Any, *, libc: str = "glibc") -> Any:
        found = answer(name, list(conf.searches), conf.option("ndots", 1))
        return [one.rstrip(".") for one in found]

    cluster = town(LIVE_SEED, {"queries": search})
    for name in LIVE:
        try:
            found = cluster.resolve(name).addresses
        except ResolutionError as error:
            return almost(f"In a cluster that runs on it: {error}", 19)
        if not found:
            return almost(f"In a cluster that runs on it, {name!r} is not found.", 19)
    return right(
        f"Right in all {len(NAMES) * len(SEARCHES) * len(NDOTS)} cases, and every Pod of a cluster "
        "has looked names up with it.",
        (seen(cluster, f"found: {', '.join(LIVE)}"),),
    )


EXERCISE = Exercise(
    key="07.3",
    title="Make: the search list",
    points=2,
    hints=(
        "Three cases: the name ends with a dot; it has at least ndots dots; it has fewer.",
        "With fewer dots than ndots the searched names come first and the name itself last; else "
        "the other way round.",
        'searched = [f"{name}.{domain}" for domain in search]; if name ends with ".": only the '
        'name without it; compare name.count(".") with ndots.',
    ),
    grade=grade,
    world=world,
)
