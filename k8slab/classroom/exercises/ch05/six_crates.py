"""Exercise 05.1: six Pods come one after the other; on which node does each of them land?

Room, a label, a taint and the emptiest node decide. The check creates the Pods in fresh clusters
and reads where the scheduler put them. Which worker has which load, the crane and the taint is the
learner's own: a `Harbor` gives the workers of the tables below, which are nobody's, other names.

Rule of use: no two nodes ever tie here, so that chance has no part in it.

Upstream: none
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.core import Pod
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.variants import pick
from k8slab.classroom.verdicts import Evidence, Finding, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

KEY = "05.1"
SEEDS = (3, 19)
WORKERS = 4
NOWHERE = "none"
TOLERATES = "tolerations: [{key: cargo, value: salt, effect: NoSchedule}], "
CRANE = "nodeSelector: {crane: heavy}, "
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec: {{{more}containers: [{{name: main, image: "registry.k8s.io/pause:3.10", \
resources: {{requests: {{cpu: "{cpu}"}}}}}}]}}
---"""
CRANE_AT, TAINTED = "worker-1", "worker-3"
LOADED: Mapping[str, str] = {  # what lies on each worker before: it asks, and it uses nothing
    "worker-1": "3",
    "worker-2": "2",
    "worker-3": "1900m",
    "worker-4": "1",
}


class Harbor(msgspec.Struct, frozen=True):
    """Which worker stands for which of the tables: the first for worker-1, and so on."""

    order: tuple[int, int, int, int] = (1, 2, 3, 4)

    def named(self, text: str) -> str:
        """Return a text about the tables' workers, about these.

        >>> Harbor((2, 1, 3, 4)).named("worker-1 has the crane, worker-3 the taint")
        'worker-2 has the crane, worker-3 the taint'
        """
        return WORKER.sub(lambda found: f"worker-{self.order[int(found[1]) - 1]}", text)

    def in_tables(self, text: str) -> str:
        """Return a text about these workers, about the tables'."""
        return WORKER.sub(lambda found: f"worker-{self.order.index(int(found[1])) + 1}", text)


WORKER = re.compile(r"worker-([1-4])")
HARBORS = (
    *(Harbor(), Harbor((2, 1, 4, 3)), Harbor((3, 4, 1, 2)), Harbor((4, 3, 2, 1))),
    *(Harbor((2, 3, 4, 1)), Harbor((3, 1, 4, 2)), Harbor((4, 1, 2, 3)), Harbor((2, 4, 1, 3))),
)


class Crate(msgspec.Struct, frozen=True):
    """One of the six, and what to say of wrong guesses, by node; "" stands for the others."""

    cpu: str
    more: str
    said: Mapping[str, str]
    misconception: int = 0


CRATES: Mapping[str, Crate] = {
    "tea": Crate(
        "500m",
        "",
        {
            "worker-3": "worker-3 has a taint, which tea does not tolerate.",
            "": "Among the nodes that fit, the one with the largest share left unrequested scores "
            "best.",
        },
        13,
    ),
    "iron": Crate(
        "2500m",
        CRANE,
        {
            "worker-1": "worker-1 has the crane, and not the room: 3100m of its 4000m are "
            "requested. That those Pods use nothing helps nobody.",
            "": "iron says that its node must have the label crane=heavy. Only one has it.",
        },
        13,
    ),
    "silk": Crate(
        "500m",
        CRANE,
        {
            "none": "900m are left on the node with the crane, and silk asks for 500m.",
            "": "A nodeSelector is a filter: a node without the label is out, however empty it is.",
        },
    ),
    "salt": Crate(
        "300m",
        TOLERATES,
        {
            "worker-3": "A toleration lets a Pod pass a taint. It does not draw it there: the "
            "emptiest node that fits is another one.",
            "": "salt may go anywhere that has room. Where is the largest share left?",
        },
    ),
    "bulk": Crate(
        "2",
        "",
        {
            "worker-2": "Add up worker-2: 2000m, and 100m for the Pod that runs on every node. "
            "2000m do not fit into what is left of 4000m.",
            "worker-3": "worker-3 would have the room. It has a taint, too.",
            "none": "Add up worker-4: 1100m, then tea and salt. 2100m are left.",
            "": "Only one node without a taint has 2000m left in one piece.",
        },
        13,
    ),
    "fish": Crate(
        "1950m",
        TOLERATES,
        {
            "worker-2": "1900m are left on worker-2, and fish asks for 50m more.",
            "worker-4": "bulk lies there now: next to nothing is left.",
            "": "fish tolerates the taint of worker-3, and 2000m are left there.",
        },
    ),
}


def world(harbor: Harbor, seed: int) -> Cluster:
    """Return four workers, each loaded differently, one with a crane, one with a taint."""
    from k8slab.api.core import Node

    loads = "".join(
        POD.format(name=f"load-{number}", more=f"nodeName: {harbor.named(node)}, ", cpu=cpu)
        for number, (node, cpu) in enumerate(LOADED.items(), 1)
    )
    cluster = boot(seed, loads, workers=WORKERS)
    terminal = Terminal(cluster)
    terminal.run(f"label node {harbor.named(CRANE_AT)} crane=heavy")
    terminal.run(f"taint node {harbor.named(TAINTED)} cargo=salt:NoSchedule")
    cluster.run(3)
    assert len(cluster.view.list(Node)) == WORKERS + 1
    return cluster


def manifest() -> str:
    """Return the YAML of the six, in their order."""
    return "".join(POD.format(name=n, cpu=c.cpu, more=c.more) for n, c in CRATES.items())


@cache
def observe(harbor: Harbor, seed: int) -> Mapping[str, tuple[str, Evidence]]:
    """Create the six, one after the other; return where each landed, and what was said of it."""
    cluster = world(harbor, seed)
    terminal = Terminal(cluster)
    found = {}
    for name, crate in CRATES.items():
        terminal.run(f"apply -f -\n{POD.format(name=name, cpu=crate.cpu, more=crate.more)}")
        cluster.run(3)
        pod = cluster.view.get(Pod, name)
        assert pod is not None
        waits = [c.message for c in pod.status.conditions if c.type == "PodScheduled" and c.message]
        text = f"{name}: on {pod.spec.nodeName}" if pod.spec.nodeName else f"{name}: {waits[0]}"
        found[name] = (pod.spec.nodeName or NOWHERE, seen(cluster, text))
    return found


def grade(harbor: Harbor, answer: Any) -> Finding:
    """Judge a mapping of the six to nodes or "none"."""
    given = _read(answer)
    if given is None:
        return wrong_kind(
            'a worker or "none" for each Pod, such as {"tea": "worker-1", ...}', answer
        )
    actual = observe(harbor, SEEDS[0])
    for name in CRATES:
        if name not in given:
            return wrong(f"Where does {name} land? There is no node for it.")
    wrongs = [name for name in CRATES if given[name] != actual[name][0]]
    if wrongs:
        first, count = wrongs[0], len(CRATES) - len(wrongs)
        crate = CRATES[first]
        text = harbor.named(crate.said.get(harbor.in_tables(given[first]), crate.said[""]))
        number = crate.misconception if len(wrongs) > 1 or count else 0
        message = f"{count} of {len(CRATES)} are right. {first}: {text}"
        return wrong(message, number, (actual[first][1],))
    for seed in SEEDS[1:]:
        assert all(observe(harbor, seed)[name][0] == given[name] for name in CRATES), "seeds differ"
    return right(
        "Right: first the filters, node by node, with what is requested; then the emptiest of "
        "those that are left. What Pods really use was not asked once.",
        tuple(each for _, each in actual.values()),
    )


def _read(answer: Any) -> dict[str, str] | None:
    """Return the nodes by Pod, None if that is no such answer."""
    if not isinstance(answer, Mapping) or not answer:
        return None
    found: dict[str, str] = {}
    for name, node in answer.items():
        words = NOWHERE if node is None else str(node).strip().lower()
        words = NOWHERE if words in ("pending", "nowhere", "-") else words
        if str(name) not in CRATES or words not in (*LOADED, NOWHERE, "control-plane"):
            return None
        found[str(name)] = words
    return found


def variant(harbor: Harbor) -> Exercise:
    """Return the exercise in a harbor."""
    return Exercise(
        key=KEY,
        title="Six crates",
        points=2,
        hints=(
            "Write down what is left on each worker: 4000m, minus what lies there, minus 100m for "
            "the network's own Pod. Cross out for each Pod the nodes that a filter refuses.",
            "Of the nodes that are left, the emptiest wins. Then subtract, and go on to the next "
            "Pod.",
            "One of the six stays without a node. One lands on the fullest node of all.",
        ),
        grade=partial(grade, harbor),
        world=partial(world, harbor),
        task=harbor.named(f"the crane is on {CRANE_AT}, the taint on {TAINTED}."),
        variant_for=variant_for,
    )


def variant_for(learner: str) -> Exercise:
    """Return the exercise in the learner's harbor."""
    return variant(pick(learner, KEY, HARBORS))


EXERCISE = variant(HARBORS[0])
