"""Exercise 02.2: two people write one object; which of their requests does the API server refuse?

Ada and Ben work on the ConfigMap `price`. Six requests are really sent, in their order, each with
the resourceVersion that its sender has at that moment, or with none.

Rule of use: the API server is the judge; `BECAUSE` only puts its answer into words.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from k8slab.api.core import ConfigMap
from k8slab.api.errors import ApiError
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.worlds import boot
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.client import Client

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (2, 19)
PRICE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: price}
data: {soup: "5"}
"""
LIMIT = 10.0  # virtual seconds for all requests
REQUESTS: Mapping[int, str] = {
    1: "Ada replaces it, with the version that she read",
    2: "Ben replaces it, with the version that he read",
    3: "Ben reads it again and replaces it, with that version",
    4: "Ada patches it and names no version",
    5: "Ada replaces it, with the version that request 1 gave her",
    6: "Ben patches it and names the version that request 3 gave him",
}
BECAUSE: Mapping[int, str] = {
    1: "Nobody has written since she read: her version is the newest.",
    2: "Ada has written since he read. If his old copy were stored, her change would be lost.",
    3: "He read the newest version just before: nothing came between.",
    4: "A patch says what to change, not what the whole object is. Without a version it is applied "
    "to whatever is there.",
    5: "Requests 3 and 4 came after her version 1: her copy is old again.",
    6: "He named a version, and so it is checked, in a patch as well: Ada's patch came between.",
}


def world(seed: int) -> Cluster:
    """Return a cluster with the ConfigMap."""
    return boot(seed, PRICE, workers=1)


@cache
def observe(seed: int) -> tuple[Mapping[int, bool], tuple[Evidence, ...]]:
    """Send the six requests; return which were refused, and the answers."""
    cluster = world(seed)
    answers: dict[int, str] = {}
    cluster.sim.complete(_send(cluster, answers), "two people write", LIMIT)
    evidence = tuple(
        Evidence(seed, cluster.now, f"request {number}: {text}") for number, text in answers.items()
    )
    return {number: "409" in text for number, text in answers.items()}, evidence


async def _send(cluster: Cluster, answers: dict[int, str]) -> None:
    ada, ben = (Client(cluster.world.transport("you"), user) for user in ("ada", "ben"))
    hers = his = await ada.get(ConfigMap, "price", "default")
    first = await _try(answers, 1, ada.update(replace(hers, data={"soup": "6"})))
    await _try(answers, 2, ben.update(replace(his, data={"soup": "7"})))
    his = await ben.get(ConfigMap, "price", "default")
    third = await _try(answers, 3, ben.update(replace(his, data={"soup": "7"})))
    await _try(answers, 4, ada.merge(ConfigMap, "price", {"data": {"tea": "2"}}, "default"))
    await _try(answers, 5, ada.update(replace(first, data={"soup": "8"})))
    version = {"metadata": {"resourceVersion": third.metadata.resourceVersion}}
    patch = {**version, "data": {"tea": "3"}}
    await _try(answers, 6, ben.merge(ConfigMap, "price", patch, "default"))


async def _try(answers: dict[int, str], number: int, request: Any) -> Any:
    try:
        stored = await request
    except ApiError as error:
        answers[number] = f"{error.code} {error.reason}"
        return None
    answers[number] = f"200 OK, now version {stored.metadata.resourceVersion}"
    return stored


def grade(answer: Any) -> Finding:
    """Judge the numbers of the requests that are refused."""
    given = _read(answer)
    if given is None:
        return wrong_kind("the numbers of the refused requests, such as [1, 4]", answer)
    refused, evidence = observe(SEEDS[0])
    assert all(observe(seed)[0] == refused for seed in SEEDS), "seeds differ"
    wrongs = [number for number in REQUESTS if (number in given) != refused[number]]
    if not wrongs:
        return right(
            "Right. The API server stores a whole object only over the version that its writer "
            "had seen: nobody can overwrite what they have not read. That is all the locking that "
            "there is.",
            evidence,
        )
    number = wrongs[0]
    said = "is refused" if refused[number] else "is not refused"
    message = f"Request {number} {said}. {BECAUSE[number]}"
    finding = almost if len(wrongs) == 1 else wrong
    return finding(message, 0, (evidence[number - 1],))


def _read(answer: Any) -> set[int] | None:
    if isinstance(answer, int) and not isinstance(answer, bool):
        answer = [answer]
    if not isinstance(answer, list | tuple | set | frozenset):
        return None
    if any(isinstance(one, bool) or one not in REQUESTS for one in answer):
        return None
    return set(answer)


EXERCISE = Exercise(
    key="02.2",
    title="Two pens, one card",
    points=2,
    hints=(
        "Write down the newest version after each request, and the version that each person has.",
        "A replacement is refused if its version is not the newest. A patch is not, unless it "
        "names a version.",
        "Three of the six are refused.",
    ),
    grade=grade,
    world=world,
)
