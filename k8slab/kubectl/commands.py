"""All commands by name, and what kubectl says when there is none of that name.

`find(words)` splits a command line into the command's path ("rollout status"), the command, and the
rest. A group without a command (`kubectl rollout`) has None: its help is printed.

Rule of use: adding a command is adding a row.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/cmd.go, vendor/github.com/spf13/cobra
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8slab.kubectl import generators, information, policy_generators, rollout
from k8slab.kubectl.apply import APPLY, VIEW_LAST_APPLIED
from k8slab.kubectl.create import CREATE
from k8slab.kubectl.delete import DELETE
from k8slab.kubectl.describe import DESCRIBE
from k8slab.kubectl.drain import CORDON, DRAIN
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.events import EVENTS
from k8slab.kubectl.explain import EXPLAIN
from k8slab.kubectl.get import GET
from k8slab.kubectl.invocation import Command
from k8slab.kubectl.logs import EXEC, LOGS
from k8slab.kubectl.metadata import ANNOTATE, LABEL, TAINT
from k8slab.kubectl.patching import PATCH, REPLACE
from k8slab.kubectl.rollout_status import STATUS
from k8slab.kubectl.run_and_expose import AUTOSCALE, EXPOSE, RUN
from k8slab.kubectl.scale import SCALE
from k8slab.kubectl.set_commands import SET_ENV, SET_IMAGE
from k8slab.kubectl.wait import WAIT

_GENERATORS = {**generators.COMMANDS, **policy_generators.COMMANDS}
COMMANDS: Mapping[str, Command] = {
    "create": CREATE,
    **{f"create {name}": command for name, command in _GENERATORS.items()},
    **{f"create {short}": _GENERATORS[name] for short, name in policy_generators.SHORT.items()},
    "expose": EXPOSE,
    "run": RUN,
    "set image": SET_IMAGE,
    "set env": SET_ENV,
    "explain": EXPLAIN,
    "get": GET,
    "delete": DELETE,
    **rollout.COMMANDS,
    "rollout status": STATUS,
    "scale": SCALE,
    "autoscale": AUTOSCALE,
    "cordon": CORDON,
    "uncordon": CORDON,
    "drain": DRAIN,
    "taint": TAINT,
    "describe": DESCRIBE,
    "logs": LOGS,
    "exec": EXEC,
    "events": EVENTS,
    "apply": APPLY,
    "apply view-last-applied": VIEW_LAST_APPLIED,
    "patch": PATCH,
    "replace": REPLACE,
    "wait": WAIT,
    "label": LABEL,
    "annotate": ANNOTATE,
    **information.COMMANDS,
}
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
NOT_IN_THE_LAB: Mapping[str, str] = {
    "edit": "kubectl edit needs an editor: write the manifest and use kubectl apply",
    "attach": "the lab has no terminals to attach to: see kubectl logs and kubectl exec",
    "port-forward": "the lab opens no ports of your machine: use cluster.request(...)",
    "proxy": "the lab opens no ports of your machine: use kubectl get --raw",
    "cp": "the lab copies no files: use kubectl exec POD -- cat FILE",
    "debug": "the lab has no debug containers: use kubectl exec, or kubectl run",
    "diff": "the lab has no diff program: use kubectl apply --dry-run=server -o yaml",
    "kustomize": "the lab has no kustomize: apply the manifests themselves",
}


def find(words: Sequence[str]) -> tuple[str, Command | None, Sequence[str]]:
    """Return the path of the command, the command, and the words and flags behind it."""
    name, rest = _first_word(words)
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
