#!/usr/bin/env python3
"""Set the course up, once, and start one of its commands.

    python3 course.py lab          open the course in JupyterLab
    python3 course.py test         run every check: layout, lint, types, contracts, notebooks, tests
    python3 course.py bench        measure the lab, and its peers beside it
    python3 course.py notebooks    execute the notebooks again and store what they print
    python3 course.py notebooks-report    how long their sentences, cells and chapters are
    python3 course.py exercises    make exercises/ from solutions/
    python3 course.py lock         write requirements.lock from pyproject.toml
    python3 course.py clean        forget .venv and every cache

The first run makes .venv from requirements.lock; later runs find its stamp and start at once.
One rule: the standard library only, in syntax that an older Python can read and then refuse.
"""

import hashlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "k8slab.stamp"
LOCK = ROOT / "requirements.lock"
UV = "uv==0.13.9"  # installs the lock in seconds; without it pip does the same in a minute

COMMANDS = ("lab", "test", "bench", "notebooks", "notebooks-report", "exercises", "lock", "clean")

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache")
MADE = (*CACHES, ".venv", ".jupyter", "k8slab.egg-info")  # beside the source, and never committed


def main(arguments: "list[str]") -> int:
    """Run one command in the course's own environment; return its exit status."""
    if sys.version_info < (3, 11):
        version = ".".join(str(part) for part in sys.version_info[:3])
        return fail("k8slab needs Python 3.11 or newer, and this is Python " + version + ".")
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__)
        return 0 if arguments in ([], ["-h"], ["--help"], ["help"]) else 2
    if arguments[0] == "clean":
        return clean()
    problem = set_up()
    if problem:
        return fail(problem)
    return hand_over(arguments)


def set_up() -> str:
    """Make .venv what the lock says, unless its stamp says that it is; return what went wrong."""
    wanted = fingerprint()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return ""
    say("Setting up .venv from requirements.lock (once; seconds to a minute).")
    if not PYTHON.exists():
        problem = make_venv()
        if problem:
            return problem
    if not (install_with_uv() or install_with_pip()):
        return "The packages of requirements.lock could not be installed; the reason is above."
    STAMP.write_text(wanted)
    say("Ready.")
    return ""


def fingerprint() -> str:
    """Name the state that .venv should be in: a hash of what it is made from."""
    made_from = LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(made_from + str(ROOT).encode()).hexdigest()


def make_venv() -> str:
    """Create an empty .venv with pip in it; return what went wrong."""
    say("Making .venv with Python " + sys.version.split()[0] + ".")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if made.returncode == 0:
        return ""
    return "Python could not make .venv; on Debian or Ubuntu: apt install python3-venv."


def install_with_uv() -> bool:
    """Install the lock, then k8slab itself, the fast way."""
    say("Installing the locked packages.")
    into = ("uv", "pip", "install", "-q", "--python", str(PYTHON))
    return (
        run("pip", "install", "-qq", UV)
        and run(*into, "--require-hashes", "-r", str(LOCK))
        and run(*into, "--no-deps", "-e", str(ROOT))
    )


def install_with_pip() -> bool:
    """Install the lock, then k8slab itself, with nothing but pip."""
    say("Trying again with pip alone, which takes about a minute.")
    # One pip command cannot both require hashes and install a folder.
    return run("pip", "install", "-qq", "--require-hashes", "-r", str(LOCK)) and run(
        "pip", "install", "-qq", "--no-deps", "-e", str(ROOT)
    )


def run(*module: str) -> bool:
    """Run a module of .venv; say whether it succeeded."""
    quiet = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1")
    command = [str(PYTHON), "-m", *module]
    return subprocess.run(command, cwd=str(ROOT), env=quiet).returncode == 0


def hand_over(arguments: "list[str]") -> int:
    """Become the command: from here on, tools/ speaks, with every package there."""
    os.chdir(str(ROOT))
    command = [str(PYTHON), "-m", "tools", *arguments]
    if os.name == "nt":  # where exec returns to the prompt at once
        return subprocess.run(command).returncode
    os.execv(command[0], command)


def clean() -> int:
    """Remove everything that a command of this file has made beside the source."""
    import shutil

    for name in MADE:
        if (ROOT / name).exists():
            say("Removing " + name + ".")
            shutil.rmtree(str(ROOT / name))
    return 0


def say(sentence: str) -> None:
    """Tell the learner what is being done."""
    print("course.py: " + sentence, flush=True)


def fail(sentence: str) -> int:
    """Say in one sentence why it cannot be done; return the exit status."""
    sys.stderr.write("course.py: " + sentence + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
