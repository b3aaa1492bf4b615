"""A variant is the learner's own, the same everywhere, and as solvable as the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from k8slab.classroom import check, lab, sign, task
from k8slab.classroom.checks import judge
from k8slab.classroom.exercises import find
from k8slab.classroom.exercises.ch04 import restarts
from k8slab.classroom.exercises.ch05 import six_crates
from k8slab.classroom.exercises.ch07 import asked
from k8slab.classroom.exercises.ch08 import victims
from k8slab.classroom.grading.grade import grade
from k8slab.classroom.grading.kernel import Limits
from k8slab.classroom.ledger import Ledger
from k8slab.classroom.variants import LONGEST, named, pick

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = "04_the_life_of_a_pod.ipynb"
CAST = victims.Cast(5, 2)


def test_a_name_alone_chooses_the_variant() -> None:
    names = [f"learner {n}" for n in range(200)]
    chosen = [pick(name, "04.1", "abcd") for name in names]
    assert {chosen.count(letter) > 25 for letter in "abcd"} == {True}
    assert chosen != [pick(name, "07.1", "abcd") for name in names]
    assert pick("ADA  Lovelace", "04.1", range(97)) == pick("ada lovelace ", "04.1", range(97))


@pytest.mark.parametrize("given", [None, 3, [], "", "  "])
def test_no_name_is_nobody(given: Any) -> None:
    assert named(given) == ""
    assert len(named("x" * 1000)) == LONGEST


def test_a_check_a_hint_and_a_lab_are_of_the_same_variant(book: Ledger) -> None:
    name = next(n for n in map(str, range(99)) if pick(n, "04.1", restarts.LASTS) == 12)
    sign(name)
    assert task("04.1").text == f"For {name}: each run of `baker` lasts 12 seconds."
    assert "sleep 12" in lab("04.1").kubectl("get pod baker -o yaml")
    assert check("04.1", [13, 35, 67, 120, 213]).verdict == "right"
    assert check("04.1", [6, 21, 46, 92, 177]).verdict != "right"
    assert task("04.2").text == "The same for everybody."


@pytest.mark.parametrize("lasts", restarts.LASTS)
def test_the_back_off_is_the_same_for_runs_of_every_length(lasts: int) -> None:
    waits = [0, 10, 30, 70, 150]
    answer = [wait + (number + 1) * lasts + 1 for number, wait in enumerate(waits)]
    assert judge(restarts.variant(lasts), answer).rung == "right"
    assert (
        "The wait doubles"
        in judge(
            restarts.variant(lasts), [lasts * (n + 1) + 10 * (n + 1) for n in range(5)]
        ).message
    )


DOMAIN = "cluster.local"
WANTED = {
    asked.Asked("web.default", "shop"): ["web.default.shop.svc", "web.default.svc"],
    asked.Asked("db.shop", "default", 1): ["", "db.shop.default.svc", "db.shop.svc"],
    asked.Asked("crew.default", "shop", 2): ["crew.default.shop.svc", "crew.default.svc"],
    asked.Asked("web.default", "shop", 1): ["", "web.default.shop.svc", "web.default.svc"],
}


@pytest.mark.parametrize(("one", "parts"), WANTED.items())
def test_each_look_up_has_its_own_list(one: asked.Asked, parts: list[str]) -> None:
    answer = [f"{part}.{DOMAIN}" if part else one.name for part in parts]
    exercise = asked.variant(one)
    assert one in asked.VARIANTS
    assert judge(exercise, answer).rung == "right"
    assert "tried as they are" in exercise.hints[-1] or one.ndots > 1
    for wrong in (answer[1:], answer[::-1], [*answer, f"{one.name}.{DOMAIN}"]):
        assert judge(exercise, wrong).rung in ("almost", "keep working")


@pytest.mark.parametrize("harbor", six_crates.HARBORS)
def test_the_crates_land_on_the_workers_of_the_learners_harbor(harbor: six_crates.Harbor) -> None:
    tables = {"tea": 4, "iron": "none", "silk": 1, "salt": 4, "bulk": 4, "fish": 3}
    places = {name: f"worker-{n}" if isinstance(n, int) else n for name, n in tables.items()}
    answer = {name: harbor.named(place) for name, place in places.items()}
    exercise = six_crates.variant(harbor)
    assert judge(exercise, answer).rung == "right"
    drawn = judge(exercise, {**answer, "tea": harbor.named("worker-3")}).message
    assert harbor.named("tea: worker-3 has a taint") in drawn
    assert [harbor.in_tables(harbor.named(place)) for place in places.values()] == list(
        places.values()
    )


def test_the_same_plays_are_given_by_other_players() -> None:
    right = {"north": "cal", "east": "eve", "south": "gus", "west": "jon"}
    answer = {CAST.team(team): CAST.name(name) for team, name in right.items()}
    exercise = victims.variant(CAST)
    assert judge(exercise, answer).rung == "right"
    other = {**answer, CAST.team("east"): CAST.name("dan")}
    assert f"{CAST.name('eve')} costs less" in judge(exercise, other).message
    assert find("08.1").hints[-1].startswith("In north look at NODE")


def test_grading_asks_for_the_variant_of_whoever_signed(tmp_path: Path) -> None:
    name = next(n for n in map(str, range(99)) if pick(n, "04.1", restarts.LASTS) == 12)
    answers = {"learner": f"learner = {name!r}", "restarts-answer": "starts = [13,35,67,120,213]"}
    notebook = json.loads((ROOT / "exercises" / CHAPTER).read_text())
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    (tmp_path / CHAPTER).write_text(json.dumps(notebook))
    report = grade(tmp_path / CHAPTER, ROOT / "solutions", Limits())
    assert report.notes == (f"Graded in the variants of {name}.",)
    assert report.verdicts[0].verdict == "right"
