#!/usr/bin/env python3
"""Set the course up, once, and start one of its commands.

    python3 course.py lab          open the course in JupyterLab
    python3 course.py test         run every check: layout, lint, types, contracts, notebooks, tests
    python3 course.py bench        measure the lab, and its peers beside it
    python3 course.py notebooks    execute the notebooks again and store what they print
    python3 course.py notebooks-report    how long their sentences, cells and chapters are
    python3 course.py exercises    make exercises/ from solutions/
    python3 course.py peers        make .venv-peers: tools that tests and bench compare with
    python3 course.py lock         write requirements.lock and requirements-peers.lock
    python3 course.py clean        forget .venv, .venv-peers and every cache

The first run makes .venv from requirements.lock; later runs find its stamp and start at once.
One rule: the standard library only, in syntax that an older Python can read and then refuse.
"""

import hashlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent
UV = "uv==0.13.9"  # installs a lock in seconds; without it pip does the same in a minute

COMMANDS = (
    *("lab", "test", "bench", "notebooks", "notebooks-report", "exercises"),
    *("peers", "lock", "clean"),
)

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache")
# Beside the source, and never committed.
MADE = (
    *CACHES,
    *(".venv", ".venv-peers", ".jupyter", "k8slab.egg-info"),
    "tests/clients/javascript/node_modules",
)


class Environment:
    """A folder with a Python of its own: the packages of one lock, and k8slab itself."""

    def __init__(self, name: str, lock: str, uv: "pathlib.Path | None" = None) -> None:
        """Name the folder and its lock; `uv` is a Python that has uv, if it is not its own."""
        self.folder = ROOT / name
        self.lock = ROOT / lock
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.stamp = self.folder / "k8slab.stamp"
        self.uv = uv

    def is_ready(self) -> bool:
        """Say whether it is what its lock says."""
        made = self.python.exists() and self.stamp.exists()
        return made and self.stamp.read_text() == self.fingerprint()

    def set_up(self) -> str:
        """Make it what its lock says, unless it is; return what went wrong."""
        if self.is_ready():
            return ""
        name, lock = self.folder.name, self.lock.name
        say("Setting up " + name + " from " + lock + " (once; seconds to a minute).")
        if not self.python.exists():
            problem = self.make()
            if problem:
                return problem
        if not (self.install_with_uv() or self.install_with_pip()):
            return "The packages of " + lock + " could not be installed; the reason is above."
        self.stamp.write_text(self.fingerprint())
        say("Ready.")
        return ""

    def fingerprint(self) -> str:
        """Name the state that it should be in: a hash of what it is made from."""
        made_from = self.lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
        return hashlib.sha256(made_from + str(ROOT).encode()).hexdigest()

    def make(self) -> str:
        """Create it with nothing but pip in it; return what went wrong."""
        say("Making " + self.folder.name + " with Python " + sys.version.split()[0] + ".")
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(self.folder)])
        if made.returncode == 0:
            return ""
        name = self.folder.name
        return "Python could not make " + name + "; on Debian or Ubuntu: apt install python3-venv."

    def install_with_uv(self) -> bool:
        """Install the lock, then k8slab itself, the fast way."""
        say("Installing the locked packages.")
        uv = self.uv or self.python
        into = ("uv", "pip", "install", "-q", "--python", str(self.python))
        return (
            (uv != self.python or run(uv, "pip", "install", "-qq", UV))
            and run(uv, *into, "--require-hashes", "-r", str(self.lock))
            and run(uv, *into, "--no-deps", "-e", str(ROOT))
        )

    def install_with_pip(self) -> bool:
        """Install the lock, then k8slab itself, with nothing but pip."""
        say("Trying again with pip alone, which takes about a minute.")
        install = (self.python, "pip", "install", "-qq")
        # One pip command cannot both require hashes and install a folder.
        return run(*install, "--require-hashes", "-r", str(self.lock)) and run(
            *install, "--no-deps", "-e", str(ROOT)
        )


COURSE = Environment(".venv", "requirements.lock")


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
    problem = COURSE.set_up()
    if problem:
        return fail(problem)
    return hand_over(arguments)


def run(python: "pathlib.Path", *module: str) -> bool:
    """Run a module with one environment's Python; say whether it succeeded."""
    quiet = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1")
    command = [str(python), "-m", *module]
    return subprocess.run(command, cwd=str(ROOT), env=quiet).returncode == 0


def hand_over(arguments: "list[str]") -> int:
    """Become the command: from here on, tools/ speaks, with every package there."""
    os.chdir(str(ROOT))
    command = [str(COURSE.python), "-m", "tools", *arguments]
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
