"""course.py: what it says and does before and after the packages are there."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "course.py"


@pytest.fixture
def course() -> ModuleType:
    """The bootstrap, a module of its own for each test."""
    spec = importlib.util.spec_from_file_location("course", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def environment(course: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An environment in an empty folder, whose Python is an empty file."""
    found = course.Environment(".venv", "requirements.lock")
    found.folder = tmp_path
    found.python = tmp_path / "bin" / "python"
    found.stamp = tmp_path / "stamp"
    monkeypatch.setattr(found, "make", lambda: make_python_of(found))
    return found


def make_python_of(environment: Any) -> str:
    environment.python.parent.mkdir()
    environment.python.touch()
    return ""


@pytest.fixture
def ran(course: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What it runs: a Python and the words after `-m`; nothing fails."""
    noted: list[tuple[Any, ...]] = []
    monkeypatch.setattr(course, "run", lambda *words: not noted.append(words))
    return noted


def test_an_old_python_can_read_it() -> None:
    ast.parse(SOURCE.read_text(), feature_version=(3, 5))


def test_an_old_python_is_told_so_in_one_sentence() -> None:
    code = (
        "import sys, runpy; sys.version_info = (3, 8, 10); "
        f"sys.argv = ['course.py', 'lab']; runpy.run_path({str(SOURCE)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "course.py: k8slab needs Python 3.11 or newer, and this is Python 3.8.10.\n"
    )


def test_it_uses_the_standard_library_only() -> None:
    imports = [n for n in ast.walk(ast.parse(SOURCE.read_text())) if isinstance(n, ast.Import)]
    names = {alias.name for node in imports for alias in node.names}
    assert names <= sys.stdlib_module_names


def test_set_up_runs_once(environment: Any, ran: list[tuple[Any, ...]]) -> None:
    assert not environment.is_ready()
    assert environment.set_up() == ""
    assert environment.is_ready()
    assert environment.set_up() == ""
    assert [module for _, module, *_ in ran] == ["pip", "uv", "uv"]  # uv itself, the lock, k8slab


def test_a_new_lock_is_set_up_again(
    environment: Any, ran: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.set_up()
    monkeypatch.setattr(environment, "fingerprint", lambda: "another lock")
    ran.clear()
    assert environment.set_up() == ""
    assert ran


def test_pip_does_it_where_uv_does_not_run(
    course: ModuleType, environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[Any, ...]] = []
    monkeypatch.setattr(course, "run", lambda *words: bool(ran.append(words)) or "uv" not in words)
    assert environment.set_up() == ""
    assert [module for _, module, *_ in ran] == ["pip", "uv", "pip", "pip"]
    assert "--require-hashes" in ran[2]


def test_a_failed_set_up_leaves_no_stamp(
    course: ModuleType, environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "run", lambda *words: False)
    assert environment.set_up().endswith(".")
    assert not environment.stamp.exists()


def test_a_second_environment_borrows_the_uv_of_the_first(
    environment: Any, ran: list[tuple[Any, ...]]
) -> None:
    environment.uv = Path("first")
    assert environment.set_up() == ""
    assert [(python, module) for python, module, *_ in ran] == [(Path("first"), "uv")] * 2
    assert all(str(environment.python) in words for words in ran)


def test_every_command_has_a_module_and_a_line_of_help(course: ModuleType) -> None:
    for command in course.COMMANDS:
        assert f"python3 course.py {command} " in course.__doc__
        module = command.replace("-", "_")
        assert command == "clean" or (ROOT / "tools" / f"{module}.py").exists()


def test_an_unknown_command_is_answered_with_the_help(
    course: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert course.main(["lib"]) == 2
    assert "python3 course.py lab" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="the script is for POSIX systems")
def test_ci_runs_what_a_contributor_runs() -> None:
    assert "python3 course.py test" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
