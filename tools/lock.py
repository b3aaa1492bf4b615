"""`course.py lock`: write requirements.lock and requirements-peers.lock from pyproject.toml.

Each is one file for every Python and system, with a hash for each package file and no address of
any registry, so that plain pip, uv, conda and Binder install the same bytes. What both have, they
have in one version. `--upgrade` moves every version forward; without it only what pyproject.toml
asks for changes.
"""

import subprocess

COMPILE = (
    *("uv", "pip", "compile", "pyproject.toml"),
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-header", "--quiet"),
)
COURSE = "requirements.lock"
PEERS = "requirements-peers.lock"
LOCKS = (
    ("--group", "dev", "--extra", "serve", "-o", COURSE),
    ("--group", "peers", "--constraint", COURSE, "-o", PEERS),
)


def main(arguments: list[str]) -> int:
    """Write the locks; return uv's exit status."""
    return max(subprocess.run([*COMPILE, *lock, *arguments]).returncode for lock in LOCKS)
