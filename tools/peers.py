"""`course.py peers`: make .venv-peers, the environment of other people's tools.

They are what the lab is held against (nbgrader, schemathesis) or measured beside (kmock), and are
never part of the learner's environment. `course.py test` and `bench` make it when they need it;
without it, tests that need it are skipped. k8slab is installed there too, and what both
environments have, they have in one version. Where npm is, the JavaScript client comes as well
(`javascript`).
"""

import sys
from pathlib import Path

import course
from tools import javascript

ENVIRONMENT = course.Environment(".venv-peers", "requirements-peers.lock", uv=Path(sys.executable))
HOW = "python3 course.py peers"  # makes it


def main(arguments: list[str]) -> int:
    """Make the environment what its lock says; return the exit status."""
    javascript.make_if_possible()
    problem = ENVIRONMENT.set_up()
    return course.fail(problem) if problem else 0


def make_if_possible() -> Path | None:
    """Make the environment where the packages can be had; give its Python."""
    problem = ENVIRONMENT.set_up()
    if problem:
        course.say(problem)
    return python()


def python() -> Path | None:
    """Give the Python of the environment, if it is there and what its lock says."""
    return ENVIRONMENT.python if ENVIRONMENT.is_ready() else None
