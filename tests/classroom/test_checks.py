from __future__ import annotations

import msgspec
import pytest

from k8slab.classroom import check, hint, lab
from k8slab.classroom.checks import judge
from k8slab.classroom.exercises import find
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.ledger import Ledger


def test_each_try_brings_the_next_hint(book: Ledger) -> None:
    exercise = find("06.1")
    hints = [check("06.1", answer).hint for answer in (..., "FBACE", "GBACE", "DBAEC", "DABEC")]
    first, second, third = exercise.hints
    assert hints == [first, first, second, third, third]
    assert check("06.1", "DBACE").hint == ""


def test_points_follow_the_ladder(book: Ledger) -> None:
    verdicts = [check("06.1", answer) for answer in (None, 5, "F", "DBAEC", "DBACE")]
    assert [(one.verdict, one.points) for one in verdicts] == [
        ("not started", 0),
        ("wrong kind", 0),
        ("keep working", 0),
        ("almost", 0.5),
        ("right", 1),
    ]
    assert book.latest("06.1", "check").score == 1  # type: ignore[union-attr]


def test_a_verdict_shows_evidence_and_the_misconception(book: Ledger) -> None:
    verdict = check("06.1", "DBAEC")
    assert verdict.misconception == 9
    assert "seen with seed 3, 2" in verdict.text
    assert verdict._repr_mimebundle_()["text/plain"] == verdict.text
    with pytest.raises(AssertionError, match="only a ready Pod"):
        verdict.require()


def test_whatever_a_check_cannot_cope_with_ends_in_a_sentence() -> None:
    def explode(answer: object) -> object:
        raise RuntimeError("boom")

    finding = judge(msgspec.structs.replace(find("06.1"), grade=explode), "x")
    assert finding.rung == "keep working"
    assert "RuntimeError: boom" in finding.message


def test_hints_are_counted_from_one() -> None:
    assert repr(hint("06.2", 3)).startswith("Hint 3 of 3: `app` tells")
    for number in (0, 4, "1"):
        with pytest.raises(ValueError, match="expected a hint from 1 to 3"):
            hint("06.2", number)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"this chapter has 06\.1, 06\.2, 06\.3, 06\.4"):
        check("06.9", 1)
    with pytest.raises(ValueError, match="expected an exercise"):
        check("6", 1)


def test_a_terminal_has_no_files_and_understands_a_here_document() -> None:
    terminal = Terminal(lab("06.2"))
    assert terminal.run("kubectl apply -f /etc/hostname").exit_code != 0
    document = "kubectl apply -f - <<EOF\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\nEOF"
    assert terminal.run(document).stdout == "namespace/a created\n"
