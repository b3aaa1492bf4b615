"""course.py: what it says and does before and after the packages are there."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "course.py"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The bootstrap, with an empty folder instead of .venv and a note of what it runs."""
    spec = importlib.util.spec_from_file_location("course", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PYTHON", tmp_path / "bin" / "python")
    monkeypatch.setattr(module, "STAMP", tmp_path / "stamp")
    return module


def make_venv_in(course: ModuleType) -> str:
    course.PYTHON.parent.mkdir()
    course.PYTHON.touch()
    return ""


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


def test_set_up_runs_once(course: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    monkeypatch.setattr(course, "make_venv", lambda: make_venv_in(course))
    monkeypatch.setattr(course, "run", lambda *module: not installed.append(module[0]))
    assert course.set_up() == ""
    assert course.set_up() == ""
    assert installed == ["pip", "uv", "uv"]  # uv itself, the lock, k8slab


def test_a_new_lock_is_set_up_again(course: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "make_venv", lambda: make_venv_in(course))
    monkeypatch.setattr(course, "run", lambda *module: True)
    course.set_up()
    monkeypatch.setattr(course, "fingerprint", lambda: "another lock")
    installed: list[str] = []
    monkeypatch.setattr(course, "run", lambda *module: not installed.append(module[0]))
    assert course.set_up() == ""
    assert installed


def test_pip_does_it_where_uv_does_not_run(
    course: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(course, "make_venv", lambda: make_venv_in(course))
    monkeypatch.setattr(
        course, "run", lambda *module: bool(ran.append(module)) or "uv" not in module
    )
    assert course.set_up() == ""
    assert [module[0] for module in ran] == ["pip", "uv", "pip", "pip"]
    assert "--require-hashes" in ran[2]


def test_a_failed_set_up_leaves_no_stamp(
    course: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "make_venv", lambda: make_venv_in(course))
    monkeypatch.setattr(course, "run", lambda *module: False)
    assert course.set_up().endswith(".")
    assert not course.STAMP.exists()


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
