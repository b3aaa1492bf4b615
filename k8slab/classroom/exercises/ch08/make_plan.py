"""Exercise 08.3: the learner writes `plan(rs, pods, *, now, related=())`, and a cluster runs on it.

The answer is asked about 20 worlds made from seeds: too few Pods, too many, orphans to adopt, Pods
on their way out. Each plan must agree with the engine's own. Then a cluster is started with the
answer in the place of ours, and has to live through a small day.

Rule of use: the engine's `plan` is the judge; `_told` only puts a disagreement into words.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from k8slab.api import load, to_dict
from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Event, Pod
from k8slab.api.meta import controller_of
from k8slab.api.pods import is_pod_active
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import LearnerError, NotStartedError, Terminal, call
from k8slab.classroom.exercises.ch08.plan_worlds import NOW, WORLDS, Case, cases
from k8slab.classroom.exercises.makes import Mistake, gather, most_telling
from k8slab.classroom.exercises.worlds import boot, listed, names, pods_with, seen
from k8slab.classroom.verdicts import Evidence, Finding, right, wrong, wrong_kind
from k8slab.client.learner import ReplacementError
from k8slab.control_plane.controllers.replica_set import Plan, checked, plan

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

LIVE_SEED = 6
CONTAINER = '{name: main, image: "busybox:1.37", command: [sleep, "1000000"]}'
STRAY = f"""
apiVersion: v1
kind: Pod
metadata: {{name: stray, labels: {{team: crew}}}}
spec: {{terminationGracePeriodSeconds: 1, containers: [{CONTAINER}]}}
"""
CREW = f"""
apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: crew}}
spec:
  replicas: 4
  selector: {{matchLabels: {{team: crew}}}}
  template:
    metadata: {{labels: {{team: crew}}}}
    spec: {{terminationGracePeriodSeconds: 1, containers: [{CONTAINER}]}}
"""
# Kinds of mistakes; of several, the first one here is talked about.
MOST_TELLING = (
    *("foreign", "unlike", "ending orphan", "not adopted", "kept", "let go"),
    *("foreigners", "ending", "ended", "released", "orphans", "number", "victims"),
)


def world(seed: int) -> Cluster:
    """Return a ReplicaSet of four that has adopted a Pod."""
    cluster = boot(seed, STRAY)
    cluster.apply(CREW)
    cluster.settle(3)
    return cluster


def grade(answer: Any) -> Finding:
    """Judge a function that plans for a ReplicaSet."""
    if not callable(answer):
        return wrong_kind("the function plan(rs, pods, *, now, related=())", answer)
    if answer is plan:
        return wrong("That is our plan. Write your own: a dozen lines will do.")
    mistakes = gather(cases(), lambda case: _ask(answer, case), _mistakes, _evidence)
    if isinstance(mistakes, Finding):
        return mistakes
    if "number" in mistakes:  # a rival is in every world: counting it would explain all numbers
        mistakes.pop("foreigners", None)
    return most_telling(mistakes, MOST_TELLING) or _live(answer)


def _ask(answer: Callable[..., Any], case: Case) -> Plan | Finding:
    """Return the answer's plan, or what is wrong with its form."""
    # Copies: what an answer does to the objects must not reach the next question.
    rs, *pods = (load(to_dict(one)) for one in (case.rs, *case.pods))
    given = call(partial(answer, now=NOW, related=()), rs, pods)
    if given is None or given is ...:
        raise NotStartedError
    if not isinstance(given, Plan):
        return wrong_kind("a Plan from your function, such as Plan(create=2)", given)
    try:
        return checked(given, case.rs, case.pods)
    except ReplacementError as error:
        return wrong(f"This plan cannot be carried out: {error}.")


def _mistakes(case: Case, given: Plan) -> Iterator[Mistake]:
    yield from _adoptions(case, given)
    wanted = case.wanted
    for name in names(wanted.release):
        if name not in names(given.release):
            yield Mistake(
                "kept",
                f"{name} is owned by the ReplicaSet and no longer has the label: release it.",
                15,
            )
    for name in names(given.release):
        if name not in names(wanted.release):
            yield Mistake("let go", f"You release {name}, which is not yours or still matches.")
    if (given.create, len(given.delete)) != (wanted.create, len(wanted.delete)):
        yield _number(case, given)
    elif names(given.delete) != names(wanted.delete):
        yield Mistake(
            "victims",
            f"{len(wanted.delete)} must go, and you chose {listed(names(given.delete))}. First to "
            f"go: {listed(pod.metadata.name for pod in wanted.delete)}. `rank_for_deletion` "
            "knows the order.",
        )


def _adoptions(case: Case, given: Plan) -> Iterator[Mistake]:
    wanted = names(case.wanted.adopt)
    for pod in given.adopt:
        name = pod.metadata.name
        if name in wanted:
            continue
        owner = controller_of(pod)
        if owner is not None and owner.uid != "crew":
            yield Mistake(
                "foreign", f"{name} matches, and has another controller: leave it alone.", 15
            )
        elif pod.metadata.labels.get("team") != "crew":
            yield Mistake("unlike", f"{name} does not match the selector: nothing to adopt.")
        elif owner is None:
            yield Mistake(
                "ending orphan", f"{name} is being deleted already: adopting it is of no use."
            )
        else:
            yield Mistake("unlike", f"{name} is yours already: adopt only what nobody owns.")
    missed = [name for name in wanted if name not in names(given.adopt)]
    if missed:
        yield Mistake(
            "not adopted",
            f"{listed(missed)} matches the selector and nobody owns it: adopt it, whoever made it.",
            15,
        )


def _number(case: Case, given: Plan) -> Mistake:
    """Say what was counted that is no replica, as far as the number tells."""
    active = sum(map(is_pod_active, case.wanted.pods))
    replicas = case.rs.spec.replicas or 0
    counted = replicas - given.create + len(given.delete)
    owners = [
        (pod, controller_of(pod)) for pod in case.pods if pod.metadata.labels["team"] == "crew"
    ]
    matching = [pod for pod, owner in owners if owner is not None and owner.uid == "crew"]
    foreign = sum(owner is not None and owner.uid != "crew" for _, owner in owners)
    ending = sum(p.metadata.deletionTimestamp is not None for p in matching)
    ended = sum(p.status.phase in ("Failed", "Succeeded") for p in matching)
    extra = counted - active
    if extra > 0 and case.kind == "terminating" and extra in (ending, ending + ended):
        return Mistake(
            "ending",
            "You count a Pod that is being deleted. It is no replica any more, so its successor "
            "is created at once.",
            14,
        )
    if extra > 0 and case.kind == "terminating" and extra == ended:
        return Mistake("ended", "You count a Pod that has ended (Failed or Succeeded).")
    if extra == 1 and case.wanted.release:
        return Mistake("released", "You count the Pod that you release: it is no replica any more.")
    if extra > 0 and extra == foreign:
        return Mistake("foreigners", "You count the Pod of another controller: labels say who may "
                       "own a Pod, the owner reference says who does.", 15)  # fmt: skip
    if extra < 0 and -extra == len(case.wanted.adopt):
        return Mistake("orphans", "An adopted Pod counts at once: create that many fewer.", 15)
    return Mistake(
        "number",
        f"{replicas} are wanted and {active} are there: create {case.wanted.create}, delete "
        f"{len(case.wanted.delete)}. You create {given.create} and delete {len(given.delete)}.",
    )


def _evidence(case: Case, given: Plan) -> Evidence:
    return Evidence(
        case.seed,
        NOW,
        f'"{case.kind}": the engine\'s plan is {_words(case.wanted)}; yours is {_words(given)}',
    )


def _words(one: Plan) -> str:
    lists = (("delete", one.delete), ("adopt", one.adopt), ("release", one.release))
    words = [f"{verb} {listed(names(pods))}" for verb, pods in lists if pods]
    return "; ".join([f"create {one.create}", *words])


# -- a cluster that runs on it


def _live(answer: Any) -> Finding:
    """Let a cluster run on the answer and compare its day with that of ours."""
    problems: list[str] = []

    def told(rs: ReplicaSet, pods: list[Pod], **given: Any) -> Any:
        try:
            return call(partial(answer, **given), rs, pods)
        except LearnerError as problem:
            problems.append(str(problem))
            raise

    cluster, said = _day(told)
    failed = [e for e in cluster.view.list(Event, "default") if e.reason == "FailedPlan"]
    if failed:
        problems.append(f"The controller said: {failed[0].message}.")
        return wrong(
            f"Right in all {WORLDS} worlds. In a cluster it failed. {problems[0]}",
            evidence=(seen(cluster, "the ReplicaSet has an Event FailedPlan"),),
        )
    expected = _expected()
    if said != expected:
        return wrong(
            f"Right in all {WORLDS} worlds. The cluster that runs on it decided something else.",
            evidence=(seen(cluster, f"ours: {'; '.join(expected)}; yours: {'; '.join(said)}"),),
        )
    return right(
        f"Right in {WORLDS} worlds out of {WORLDS}, and a cluster has run on it: it adopted, "
        "released, created and deleted as with our own plan.",
        tuple(seen(cluster, f"the cluster decided: {one}") for one in said),
    )


@cache
def _expected() -> tuple[str, ...]:
    return _day(None)[1]


def _day(answer: Any) -> tuple[Cluster, tuple[str, ...]]:
    """Let a cluster adopt, release and scale; return it, and what its controller decided."""
    from k8slab.cluster import Cluster

    cluster = Cluster(workers=2, seed=LIVE_SEED, replace={"replica_set": answer})
    terminal = Terminal(cluster)
    for command in (f"apply -f -\n{STRAY}", f"apply -f -\n{CREW}"):
        terminal.run(command)
        cluster.run(5)
    own = pods_with(cluster.view, "team=crew")
    if own:
        terminal.run(f"label pod {own[0].metadata.name} team=alone --overwrite")
        cluster.run(5)
    terminal.run("scale rs crew --replicas=2")
    cluster.run(5)
    decided = (r for r in cluster.trace if r.verb == "decide")
    return cluster, tuple(r.detail for r in decided if r.subject == "ReplicaSet/default/crew")


EXERCISE = Exercise(
    key="08.3",
    title="Make the doorkeeper",
    points=4,
    hints=(
        "Sort the Pods first: mine (controller_of(pod) names my uid), nobody's (it is None), "
        "somebody else's. Then ask each of mine and nobody's whether the selector matches.",
        "Mine and matching stay; mine and not matching are released; nobody's, matching and not "
        "being deleted are adopted, and count at once. Then count the active ones.",
        "missing = rs.spec.replicas - number of active. Not negative: Plan(create=missing). "
        "Negative: the first -missing of rank_for_deletion(active, related, now).",
    ),
    grade=grade,
    world=world,
)
