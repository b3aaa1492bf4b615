"""The JavaScript client that the gateway is held against, beside the test that needs it.

`make_if_possible()` installs what package-lock.json says, where npm and its registry are;
`is_ready()` says whether it is there. Git ignores the folder, `course.py clean` removes it.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

import course

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "clients" / "javascript"
STAMP = FOLDER / "node_modules" / "k8slab.stamp"
LONGEST = 300  # s
# Nothing of the packages runs while they are installed.
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def make_if_possible() -> None:
    """Install the client, unless it is there or there is no npm."""
    npm = shutil.which("npm")
    if npm is None or is_ready():
        return
    course.say("Installing the JavaScript client (once; seconds).")
    try:
        done = subprocess.run([npm, *INSTALL], cwd=FOLDER, timeout=LONGEST).returncode == 0
    except subprocess.TimeoutExpired:
        done = False
    if done:
        STAMP.write_text(fingerprint())
    else:
        course.say("It could not be installed; its tests will be skipped.")


def is_ready() -> bool:
    """Say whether the client is there, as the lock has it."""
    return STAMP.exists() and STAMP.read_text() == fingerprint()


def fingerprint() -> str:
    """Name the state that it should be in."""
    return hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
