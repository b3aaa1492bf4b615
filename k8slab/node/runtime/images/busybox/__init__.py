"""busybox: a shell and the small tools that people debug with, one file per group of tools.

`tool(name)` gives a tool's program. A tool is an ordinary program: it reads its arguments, prints,
returns an exit code.

Rule of use: options that are not listed in a tool's docstring are refused as busybox refuses them.

Upstream: busybox (shell/ash.c, coreutils, findutils, networking, procps)
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import cast

from k8slab.node.interfaces import Program

_TOOLS = {
    "sh": ("sh", "ash", "bash"),
    "files": (
        "basename", "cat", "cp", "dirname", "ls", "mkdir", "mv", "rm", "rmdir", "tee", "touch",
    ),
    "disk": ("dd", "df", "du", "fallocate", "mount"),
    "finding": ("chmod", "chown", "find", "xargs"),
    "sums": ("base64", "expr", "md5sum", "sha256sum"),
    "text": (
        "cut", "egrep", "grep", "head", "rev", "seq", "sort", "tail", "tr", "uniq", "wc",
    ),
    "awk": ("awk",),
    "sed": ("sed",),
    "server": ("httpd",),
    "nslookup": ("nslookup",),
    "network": ("hostname", "ifconfig", "ip", "nc", "netstat", "ping", "wget"),
    "system": (
        "clear", "date", "env", "id", "killall", "nproc", "printenv", "ps", "sleep", "sync",
        "timeout", "top", "uname", "uptime", "whoami", "yes", "pidof", "usleep", "nohup", "free",
    ),
    "standalone": ("[", "echo", "false", "kill", "printf", "pwd", "test", "true", "which"),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _TOOLS.items() for name in names}
_FUNCTIONS = {
    "[": "test", "ash": "sh", "bash": "sh", "egrep": "grep", "false": "false_", "true": "true_",
}  # fmt: skip


@lru_cache(maxsize=128)
def tool(name: str) -> Program | None:
    """Return the program of a tool, None if busybox has none of that name."""
    module = _MODULE_OF.get(name)
    if module is None:
        return None
    found = import_module(f"{__name__}.{module}")
    function = _FUNCTIONS.get(name, name)
    if not hasattr(found, function):
        return None
    return cast(Program, getattr(found, function))
