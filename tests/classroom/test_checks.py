from __future__ import annotations

import msgspec
import pytest

from k8slab.classroom import check, hint, lab
from k8slab.classroom.checks import judge
from k8slab.classroom.exercises import find
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.ledger import Ledger
from k8slab.classroom.mistakes import AskedWrongError
from k8slab.client import patience


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


def test_blanks_are_named_and_an_answer_of_blanks_alone_is_not_started() -> None:
    for answer in ({"A": ..., "B": ...}, [..., ...], (...,)):
        assert judge(find("02.1"), answer).rung == "not started"
    finding = judge(find("02.1"), {"A": "kubelet", "B": ..., "C": ...})
    assert (finding.rung, finding.message.partition(".")[0]) == ("wrong kind", "Still blank: B, C")


def test_a_function_that_never_ends_is_told_at_which_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def last_step(pod: object) -> int:
        while True:
            pass

    monkeypatch.setattr(patience, "LINES", 1_000)
    finding = judge(find("03.3"), last_step)
    assert "did not come to an end: after 1,000 lines it was still at `" in finding.message


def test_a_function_that_only_prints_is_reminded_of_return() -> None:
    finding = judge(find("03.3"), lambda pod: None)
    assert finding.rung == "wrong kind"
    assert "Does your function `return` its answer" in finding.message


def test_a_key_that_nobody_knows_is_told_without_a_traceback(book: Ledger) -> None:
    for key in ("06.9", 6.2, "zz"):
        with pytest.raises(AskedWrongError, match="expected an exercise such as") as caught:
            check(key, 1)  # type: ignore[arg-type]
        assert caught.value._render_traceback_() == [str(caught.value)]


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
