"""The browser that the browser tests drive: found, or on Debian installed.

`find()` gives its path; tests skip without one. Only a full `course.py test`, run as root on
Debian, installs it; nothing else is ever changed outside the project's folder.
"""

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find() -> str | None:
    """Give the path of a Chromium, if this machine has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def install_if_possible() -> None:
    """Install Debian's Chromium when it is missing and this is allowed to."""
    if find() is not None or not can_install():
        return
    print("Installing Debian's chromium for the browser tests.", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            print("It could not be installed; the browser tests will be skipped.", flush=True)
            return


def can_install() -> bool:
    """Say whether this is root on a Debian (elsewhere the package is something else)."""
    release = Path("/etc/os-release")
    debian = release.exists() and "ID=debian" in release.read_text().splitlines()
    return debian and shutil.which("apt-get") is not None and os.geteuid() == 0
