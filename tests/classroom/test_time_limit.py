from __future__ import annotations

import time

import msgspec
import pytest

from k8slab.classroom import check, checks
from k8slab.classroom.exercises import find
from k8slab.classroom.exercises.answers import call
from k8slab.classroom.ledger import Ledger
from k8slab.classroom.time_limit import OutOfTimeError, time_limit
from k8slab.client import patience


def test_an_alarm_that_is_swallowed_rings_again() -> None:
    with pytest.raises(OutOfTimeError), time_limit(0.05):  # noqa: PT012
        try:
            time.sleep(5)
        except BaseException:
            time.sleep(5)


def test_an_answer_that_never_ends_is_broken_off_with_its_line(
    book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def members() -> None:
        time.sleep(1000)  # no line of it is seen

    asked = msgspec.structs.replace(find("06.3"), grade=call)
    monkeypatch.setattr(checks, "find", lambda key, learner: asked)
    monkeypatch.setattr(checks, "PATIENCE", 0.2)
    monkeypatch.setattr(patience, "LINES", 10**12)  # which would be sooner
    verdict = check("06.3", members)
    assert (verdict.verdict, verdict.points) == ("keep working", 0)
    assert verdict.message.startswith("Your answer was broken off after 0.2 s, at `")
    assert "time.sleep(1000)" in verdict.message
