"""Chapter 01: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from k8slab.classroom.exercises.ch01 import boxes, duties, patients
from k8slab.viz.traffic import actor
from tests.exercises.claims import Claims

API, ETCD = "kube-apiserver", "etcd"
BOXES = ["AE", "AECSKR", "AECKR", "AECP", "AEKR"]
PATIENTS = ["kube-controller-manager", "kube-proxy", "kubelet/worker-2", "kube-scheduler"]
DUTIES = {
    "API server": "D",
    "etcd": "E",
    "controller manager": "B",
    "scheduler": "C",
    "kubelet": "F",
    "container runtime": "G",
    "kube-proxy": "H",
    "CoreDNS": "A",
}


def draw(
    records: Any,
    *,
    name: Any = actor,
    store: bool = True,
    direct: bool = False,
    once: bool = True,
    orders: bool = True,
    own: bool = False,
    all_writes: bool = False,
) -> Counter[tuple[str, str]]:
    """The right graph, or one with a mistake that learners make."""
    by_id = {record.id: record for record in records}
    edges: Counter[tuple[str, str]] = Counter()
    told = set()
    for record in records:
        who, cause = name(record), by_id.get(record.cause)
        if record.revision or all_writes:
            edges[API, ETCD] += store
            if who != API:
                edges[who, API] += 1
        if who.startswith("containerd/") and orders:
            edges[who.replace("containerd", "kubelet"), who] += 1
        elif who not in ("you", API) and cause is not None and cause.revision:
            stranger = own or name(cause) != who
            if stranger and not (once and (who, cause.id) in told):
                told.add((who, cause.id))
                edges[name(cause) if direct else API, who] += 1
    return edges


def triples(records: Any) -> list[tuple[str, str, int]]:
    """Another way: rows instead of a mapping, made in three passes."""
    writes = [record for record in records if record.revision]
    pairs = [(API, ETCD) for _ in writes]
    pairs += [(actor(record), API) for record in writes if actor(record) != API]
    runtimes = [actor(r) for r in records if r.component.startswith("containerd/")]
    pairs += [(name.replace("containerd", "kubelet"), name) for name in runtimes]
    writer = {record.id: actor(record) for record in writes}
    news = {
        (actor(record), record.cause)
        for record in records
        if writer.get(record.cause, actor(record)) != actor(record)
        and actor(record) not in ("you", API, *runtimes)
    }
    pairs += [(API, who) for who, _ in news]
    return [
        (source, target, pairs.count((source, target))) for source, target in dict.fromkeys(pairs)
    ]


def mistaken(**mistakes: Any) -> Any:
    return lambda records: draw(records, **mistakes)


def broken(records: Any) -> Any:
    return {record.writer: 1 for record in records}


def swapped(first: int, second: int, answer: list[str]) -> list[str]:
    changed = list(answer)
    changed[first], changed[second] = changed[second], changed[first]
    return changed


def instead(place: int, name: str) -> list[str]:
    return [*PATIENTS[: place - 1], name, *PATIENTS[place:]]


RIGHT: dict[str, tuple[Any, ...]] = {
    "01.1": ("DEBCFGHA", "d, e, b, c, f, g, h, a", list("DEBCFGHA"), DUTIES),
    "01.2": (BOXES, dict(enumerate(BOXES, 1)), [set(one) for one in BOXES], ["E,A", *BOXES[1:]]),
    "01.3": (draw, triples, lambda records: dict(draw(records)) | {("you", "etcd"): 0}),
    "01.4": (
        PATIENTS,
        dict(enumerate(PATIENTS, 1)),
        ["controller manager", "proxy", "kubelet/worker-2", "Scheduler"],
    ),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "01.1": (
        ("DEBCFGIA", "kernels do"),
        ("DEBJFGHA", "Nobody gives orders to a kubelet"),
        ("DEBFCGHA", "writes one thing: its choice"),
        ("EDBCFGHA", "nobody but it reads or writes the store"),
        ("DEBCFGAH", "It is in nobody's path"),
        ("DEBCGFHA", "has them run by its container runtime"),
        ("DEECFGHA", "stands there twice"),
    ),
    "01.2": (
        (["AE", "AECSKRP", "AECKR", "AECP", "AEKR"], "no list and no rule to change"),
        (["AE", "AECSKR", "AECSKR", "AECP", "AEKR"], "Nobody asks it who has to go"),
        (["AE", "AECSKR", "AECKR", "AECPKR", "AEKR"], "No Pod starts or ends for a Service"),
        (["AE", "AECSKR", "AECKR", "AECP", "AESKR"], "already names its node"),
        (["AEC", "AECSKR", "AECKR", "AECP", "AEKR"], "a note that nobody waits for"),
        (["A", "AECSKR", "AECKR", "AECP", "AEKR"], "it writes to etcd"),
        (["AE", "AECSK", "AECKR", "AECP", "AEKR"], "orders its container runtime"),
        (["AE", "AECSKR", "AECKR", "AEC", "AEKR"], "rules in the kernel of every node"),
    ),
    "01.3": (
        (mistaken(direct=True), "Parts of a cluster never speak to each other"),
        (mistaken(store=False), "one to etcd"),
        (mistaken(once=False), "the news came once"),
        (mistaken(own=True), "too much news"),
        (mistaken(orders=False), "an order that the kubelet of its node gave it"),
        (mistaken(name=lambda record: record.component), "is no part of the map"),
        (mistaken(all_writes=True), "Count the writes again"),
        (lambda records: {}, "Each write is stored"),
        (broken, "AttributeError"),
    ),
    "01.4": (
        (instead(1, "kube-scheduler"), "only two Pods at all"),
        (instead(2, "coredns"), "So does the name `front`"),
        (instead(2, "controller manager"), "The list behind the new Service was written"),
        (instead(3, "kubelet"), "but whose?"),
        (instead(3, "kubelet/worker-1"), "reports to this day"),
        (instead(3, "kube-scheduler"), "Every Pod has a node"),
        (instead(4, "kube-controller-manager"), "All four Pods exist"),
        (instead(4, "kubelet/worker-1"), "no kubelet's business yet"),
        (instead(4, "etcd"), "kubectl got an answer"),
        (instead(1, "kindnet"), "own address is reached"),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "01.1": (5, "XYZ", "", ["A", 1], {"etcd": "E"}, {**DUTIES, "etcd": "Z"}),
    "01.2": ("AE", [], ["AE"] * 4, [1, 2, 3, 4, 5], ["XX"] * 5, {1: "AE"}),
    "01.3": ("graph", 3, lambda records: 5, lambda records: {"a": 1}, lambda records: [("a", "b")]),
    "01.4": ("etcd", [], ["docker"] * 4, ["kubelet/moon"] * 4, {1: "etcd"}, [1, 2, 3, 4]),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "01", RIGHT, WRONG, WRONG_KIND


def test_a_duty_is_done_by_whom_the_solution_says() -> None:
    owners = {letter: name for name, letter in duties.RIGHT.items()}
    for seed in (duties.SEED, 8):
        seen = duties.observe(seed)
        assert set(seen) == set(duties.SIGNS)
        assert all(owners[letter] == name for letter, (name, _) in seen.items())


def test_a_command_lights_up_the_same_parts_whatever_the_seed() -> None:
    for number in range(1, 6):
        letters = {boxes.observe(seed, number).letters for seed in (*boxes.SEEDS, 21)}
        assert len(letters) == 1


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_patient_is_ill_until_the_part_is_started(seed: int) -> None:
    patient, cluster = patients.patient_of(seed), patients.world(seed)
    assert not patient.is_well(cluster)
    cluster.run(120)
    assert not patient.is_well(cluster)
    cluster.start(patient.stopped)
    cluster.run(60)
    assert patient.is_well(cluster)
