"""Flags of a program: --name=value on its command line.

Rule of use: of a flag that is given twice, the first counts.

Upstream: spf13/pflag
"""

from __future__ import annotations

from k8slab.addons.ingress.proxy import Process


def flag(process: Process, name: str, default: str) -> str:
    """Return the value of a flag, the default if it is not given."""
    prefix = f"--{name}="
    found = (each.removeprefix(prefix) for each in process.args if each.startswith(prefix))
    return next(found, default)
