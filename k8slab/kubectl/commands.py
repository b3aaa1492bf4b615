"""All commands by name, and what kubectl says when there is none of that name.

`find(words)` splits a command line into the command's path ("rollout status"), the command, and the
rest. A group without a command (`kubectl rollout`) has None: its help is printed.

Rule of use: adding a command is adding a row.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/cmd.go, vendor/github.com/spf13/cobra
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8slab.kubectl.apply import APPLY, VIEW_LAST_APPLIED
from k8slab.kubectl.create import CREATE
from k8slab.kubectl.delete import DELETE
from k8slab.kubectl.describe import DESCRIBE
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.get import GET
from k8slab.kubectl.invocation import Command
from k8slab.kubectl.logs import EXEC, LOGS
from k8slab.kubectl.scale import SCALE

COMMANDS: Mapping[str, Command] = {
    "create": CREATE,
    "get": GET,
    "delete": DELETE,
    "describe": DESCRIBE,
    "scale": SCALE,
    "logs": LOGS,
    "exec": EXEC,
    "apply": APPLY,
    "apply view-last-applied": VIEW_LAST_APPLIED,
}
ALIASES = {"api-resource": "api-resources"}
# The order in which kubectl lists its commands, and so suggests them.
NAMES = (
    "create expose run set explain get edit delete rollout scale autoscale certificate "
    "cluster-info top cordon uncordon drain taint describe logs attach exec port-forward proxy cp "
    "auth debug events "
    "diff apply patch replace wait kustomize label annotate completion api-resources api-versions "
    "config plugin version"
)
GROUPS = ("rollout", "set", "config", "auth")
MIN_DISTANCE = 2  # of a suggestion, in changed letters
NOT_IN_THE_LAB: Mapping[str, str] = {}


def find(words: Sequence[str]) -> tuple[str, Command | None, Sequence[str]]:
    """Return the path of the command, the command, and the words and flags behind it."""
    first, rest = _first_word(words)
    name = ALIASES.get(first, first)
    if name in NOT_IN_THE_LAB:
        raise CommandError(NOT_IN_THE_LAB[name])
    if name not in COMMANDS and name not in GROUPS:
        raise CommandError(_unknown(name))
    if rest and not rest[0].startswith("-"):
        path = f"{name} {rest[0]}"
        if path in COMMANDS:
            return path, COMMANDS[path], rest[1:]
        deeper = f"{path} {rest[1]}" if len(rest) > 1 else ""
        if deeper in COMMANDS:
            return deeper, COMMANDS[deeper], rest[2:]
        if name in GROUPS:
            raise CommandError(
                f"unknown command \"{rest[0]}\"\nSee 'kubectl {name} -h' for help and examples"
            )
    return name, COMMANDS.get(name), rest


def _first_word(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the command; flags of kubectl itself may stand before it."""
    skipped: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            return word, [*skipped, *rest] if not skipped else [*rest, *skipped]
        skipped.append(word)
        if word in ("-n", "--namespace", "--context", "--as", "-s", "--server") and rest:
            skipped.append(rest.pop(0))
    raise CommandError(f"unknown flag: {words[0]}\nSee 'kubectl --help' for usage.")


def _unknown(name: str) -> str:
    close = [
        known
        for known in NAMES.split()
        if distance(name.lower(), known) <= MIN_DISTANCE or known.startswith(name.lower())
    ]
    hint = "".join(f"\n\t{known}" for known in close)
    return f'unknown command "{name}" for "kubectl"' + (
        f"\n\nDid you mean this?{hint}" if hint else ""
    )


def distance(left: str, right: str) -> int:
    """Return in how many letters two words differ (Levenshtein).

    >>> distance("gett", "get"), distance("gett", "set")
    (1, 2)
    """
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]
