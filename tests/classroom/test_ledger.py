from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8slab.classroom import ledger
from k8slab.classroom.ledger import Entry, Ledger
from k8slab.classroom.mistakes import AskedWrongError

RIGHT = Entry(kind="question", key="06.vip", answer="None", score=1.0, confidence=0.7)


def test_entries_outlive_the_session(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.json"
    Ledger(path).add(RIGHT)
    assert Ledger(path).entries == (RIGHT,)
    assert json.loads(Ledger(path).export())["entries"][0]["key"] == "06.vip"


def test_two_notebooks_write_to_one_ledger(tmp_path: Path) -> None:
    first, second = Ledger(tmp_path / "l.json"), Ledger(tmp_path / "l.json")
    first.add(RIGHT)
    second.add(Entry(kind="check", key="06.1", score=0.0))
    assert [entry.key for entry in Ledger(tmp_path / "l.json").entries] == ["06.vip", "06.1"]


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 9}', '{"version": 1, "entries": [3]}'])
def test_a_damaged_file_is_kept_and_a_fresh_one_begun(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ledger.json"
    path.write_text(content)
    fresh = Ledger(path)
    assert "is kept as ledger.damaged-1.json" in fresh.take_notice()
    assert fresh.take_notice() == ""
    fresh.add(RIGHT)
    assert Ledger(path).entries == (RIGHT,)
    assert (tmp_path / "ledger.damaged-1.json").read_text() == content


def test_a_place_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    book = Ledger(tmp_path / "file" / "ledger.json")
    book.add(RIGHT)
    assert "for this session only" in book.take_notice()
    assert book.entries == (RIGHT,)


def test_off_keeps_it_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ledger.VARIABLE, "off")
    assert ledger.current().path is None
    assert ledger.current() is ledger.current()


def test_the_default_place_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert ledger.default_path() == Path("/data/k8slab/ledger.json")


def test_what_was_exported_elsewhere_is_taken_in_once(tmp_path: Path) -> None:
    here, there = Ledger(tmp_path / "here.json"), Ledger(tmp_path / "there.json")
    here.add(RIGHT)
    for score in (0.0, 0.0, 1.0):
        there.add(Entry(kind="check", key="06.1", score=score))
    for _ in range(2):  # the same answer twice is two entries
        there.add(RIGHT)
    assert (here.take_in(there.export()), here.take_in(there.export())) == (4, 0)
    assert [entry.score for entry in Ledger(tmp_path / "here.json").entries] == [1, 0, 0, 1, 1]


@pytest.mark.parametrize("text", ["", "{}", '{"version": 9}', '{"version": 1, "entries": [3]}'])
def test_what_is_no_export_changes_nothing(tmp_path: Path, text: str) -> None:
    book = Ledger(tmp_path / "l.json")
    book.add(RIGHT)
    with pytest.raises(ValueError, match="expected"):
        book.take_in(text)
    assert Ledger(tmp_path / "l.json").entries == (RIGHT,)


def test_a_ledger_bears_the_name_that_was_given(tmp_path: Path, book: Ledger) -> None:
    assert ledger.sign("  Ada   Lovelace ") == "This is the ledger of Ada Lovelace."
    book.add(RIGHT)
    assert ledger.export_ledger(tmp_path / "mine.json") == "1 entries are in mine.json."
    assert ledger.import_ledger(tmp_path / "mine.json") == "0 entries from mine.json are new here."
    fresh = Ledger(tmp_path / "other.json")
    fresh.take_in((tmp_path / "mine.json").read_text())
    assert fresh.learner == "Ada Lovelace"


def test_a_file_that_is_not_there_is_told_without_a_traceback(tmp_path: Path, book: Ledger) -> None:
    with pytest.raises(AskedWrongError, match=r"cannot read .*nowhere\.json: No such file"):
        ledger.import_ledger(tmp_path / "nowhere.json")
    with pytest.raises(AskedWrongError, match="cannot write"):
        ledger.export_ledger(tmp_path / "no folder" / "mine.json")
