"""`course.py lock`: write requirements.lock from pyproject.toml.

One file for every Python and system, with a hash for each package file and no address of any
registry, so that plain pip, uv, conda and Binder install the same bytes. `--upgrade` moves every
version forward; without it only what pyproject.toml asks for changes.
"""

import subprocess

COMPILE = (
    *("uv", "pip", "compile", "pyproject.toml", "--group", "dev", "--extra", "serve"),
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-header", "--quiet", "-o", "requirements.lock"),
)


def main(arguments: list[str]) -> int:
    """Write the lock; return uv's exit status."""
    return subprocess.run([*COMPILE, *arguments]).returncode
