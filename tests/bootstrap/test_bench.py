"""The benchmarks' table."""

import pytest

from benchmarks import measure, run


def test_a_peer_is_shown_with_the_ratio() -> None:
    line = run.line(measure.Row("wake", 1.5, "us", "simpy", 3.0))
    assert line.split() == ["wake", "1.500", "us", "simpy", "3.000", "0.50", "x"]


def test_an_unknown_benchmark_is_answered_with_those_there_are(capsys) -> None:
    assert run.main(["sum"]) == 2
    assert "there are" in capsys.readouterr().out


def test_a_failing_benchmark_does_not_stop_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def rows_of(name: str):
        yield measure.Row(name, 1, "s")
        raise RuntimeError

    monkeypatch.setattr(run, "rows_of", rows_of)
    assert run.main([]) == 1
