"""course.py test: which checks run, and what a failure means."""

from pathlib import Path

import pytest

from tools import chromium, javascript, peers
from tools import test as checks


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The programs that were run, where there is one notebook; only the linter fails."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00.ipynb").touch()
    programs: list[str] = []

    def run(command: tuple[str, ...]) -> int:
        programs.append(command[0])
        return 1 if command[:2] == ("ruff", "check") else 0

    monkeypatch.setattr(checks, "run", run)
    monkeypatch.setattr(chromium, "install_if_possible", lambda: None)
    monkeypatch.setattr(peers, "make_if_possible", lambda: programs.append("peers"))
    monkeypatch.setattr(javascript, "make_if_possible", lambda: programs.append("npm"))
    return programs


def test_a_failed_check_does_not_stop_the_next_but_fails_the_whole(ran, capsys) -> None:
    assert checks.main([]) == 1
    assert ran == ["peers", "npm", "ruff", "ruff", "mypy", "lint-imports", "pytest", "pytest"]
    assert capsys.readouterr().out.endswith("Failed: lint.\n")


def test_nothing_is_asked_of_notebooks_before_there_is_one(ran, tmp_path) -> None:
    (tmp_path / "notebooks" / "00.ipynb").unlink()
    assert checks.main(["notebooks"]) == 0
    assert ran == []


def test_parts_run_in_their_own_order(ran) -> None:
    assert checks.main(["contracts", "types"]) == 0
    assert ran == ["mypy", "lint-imports"]


def test_the_tools_of_other_people_are_there_when_tests_are_asked_for(ran) -> None:
    assert checks.main(["tests"]) == 0
    assert ran == ["peers", "npm", "pytest"]


def test_other_arguments_are_for_pytest(ran) -> None:
    assert checks.main(["-k", "conntrack"]) == 0
    assert ran == ["pytest"]


def test_an_unknown_part_is_named(ran, capsys) -> None:
    assert checks.main(["types", "typos"]) == 2
    assert "no part is called 'typos'" in capsys.readouterr().out
    assert not ran


def test_a_browser_is_installed_on_debian_by_root_only(monkeypatch) -> None:
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 1000)
    assert not chromium.can_install()
