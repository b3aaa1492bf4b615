"""All commands by name, and what kubectl says when there is none of that name.

`find(words)` splits a command line into the command's path ("rollout status"), the command, and the
rest. A group without a command (`kubectl rollout`) has None: its help is printed.

Rule of use: adding a command is adding a row.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/cmd.go, vendor/github.com/spf13/cobra
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8slab.kubectl import (
    auth,
    config,
    data_generators,
    generators,
    information,
    ingress_generator,
    policy_generators,
    role_generators,
    rollout,
    top,
)
from k8slab.kubectl.apply import APPLY
from k8slab.kubectl.autoscale import AUTOSCALE
from k8slab.kubectl.command_line import GLOBAL, parse
from k8slab.kubectl.create import CREATE
from k8slab.kubectl.create_token import CREATE_TOKEN
from k8slab.kubectl.debug import DEBUG
from k8slab.kubectl.delete import DELETE
from k8slab.kubectl.describe import DESCRIBE
from k8slab.kubectl.diff import DIFF
from k8slab.kubectl.drain import CORDON, DRAIN
from k8slab.kubectl.edit import EDIT
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.events import EVENTS
from k8slab.kubectl.exec import ATTACH, EXEC
from k8slab.kubectl.explain import EXPLAIN
from k8slab.kubectl.expose import EXPOSE
from k8slab.kubectl.get import GET
from k8slab.kubectl.invocation import Command
from k8slab.kubectl.last_applied_commands import SET_LAST_APPLIED, VIEW_LAST_APPLIED
from k8slab.kubectl.logs import LOGS
from k8slab.kubectl.metadata import ANNOTATE, LABEL
from k8slab.kubectl.patching import PATCH, REPLACE
from k8slab.kubectl.rollout_status import STATUS
from k8slab.kubectl.run import RUN
from k8slab.kubectl.scale import SCALE
from k8slab.kubectl.set_access import SET_SERVICE_ACCOUNT, SET_SUBJECT
from k8slab.kubectl.set_commands import SET_IMAGE, SET_RESOURCES
from k8slab.kubectl.set_env import SET_ENV
from k8slab.kubectl.set_selector import SET_SELECTOR
from k8slab.kubectl.taint import TAINT
from k8slab.kubectl.wait import WAIT

_GENERATORS = {
    **generators.COMMANDS,
    **data_generators.COMMANDS,
    **policy_generators.COMMANDS,
    **role_generators.COMMANDS,
    **ingress_generator.COMMANDS,
}
COMMANDS: Mapping[str, Command] = {
    "create": CREATE,
    "create token": CREATE_TOKEN,
    **{f"create {name}": command for name, command in _GENERATORS.items()},
    **{f"create {short}": _GENERATORS[name] for short, name in policy_generators.SHORT.items()},
    "expose": EXPOSE,
    "run": RUN,
    "set image": SET_IMAGE,
    "set env": SET_ENV,
    "set resources": SET_RESOURCES,
    "set selector": SET_SELECTOR,
    "set serviceaccount": SET_SERVICE_ACCOUNT,
    "set sa": SET_SERVICE_ACCOUNT,
    "set subject": SET_SUBJECT,
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
    "attach": ATTACH,
    "debug": DEBUG,
    "diff": DIFF,
    "edit": EDIT,
    **top.COMMANDS,
    **{alias: top.COMMANDS[name] for alias, name in top.ALIASES.items()},
    "events": EVENTS,
    "apply": APPLY,
    "apply view-last-applied": VIEW_LAST_APPLIED,
    "apply set-last-applied": SET_LAST_APPLIED,
    "patch": PATCH,
    "replace": REPLACE,
    "wait": WAIT,
    "label": LABEL,
    "annotate": ANNOTATE,
    **auth.COMMANDS,
    **information.COMMANDS,
    **config.COMMANDS,
}
# The order in which kubectl lists its commands, and so suggests them.
NAMES = (
    "create expose run set explain get edit delete rollout scale autoscale certificate "
    "cluster-info top cordon uncordon drain taint describe logs attach exec port-forward proxy cp "
    "auth debug events "
    "diff apply patch replace wait kustomize label annotate completion api-resources api-versions "
    "config plugin version"
)
GROUPS = (
    "rollout",
    "set",
    "config",
    "auth",
    "create secret",
    "create service",
    "create svc",
    "top",
)
# The full names of commands that have short ones.
CANONICAL = {
    **{f"create {short}": f"create {name}" for short, name in policy_generators.SHORT.items()},
    "set sa": "set serviceaccount",
    **top.ALIASES,
}
_GLOBAL = {f"--{flag.name}": flag for flag in GLOBAL} | {f"-{flag.short}": flag for flag in GLOBAL}
MIN_DISTANCE = 2  # of a suggestion, in changed letters
NOT_IN_THE_LAB: Mapping[str, str] = {
    "port-forward": "the lab opens no ports of your machine: use cluster.request(...)",
    "proxy": "the lab opens no ports of your machine: use kubectl get --raw",
    "cp": "the lab copies no files: use kubectl exec POD -- cat FILE",
    "kustomize": "the lab has no kustomize: apply the manifests themselves",
}


def find(words: Sequence[str]) -> tuple[str, Command | None, Sequence[str]]:
    """Return the path of the command, the command, and the words and flags behind it.

    The path is "" where there are flags only. Raises CommandError.
    """
    path, rest = _first_word(words)
    if not path:
        parse(words, (), "")
        return "", None, ()
    if path in NOT_IN_THE_LAB:
        raise CommandError(NOT_IN_THE_LAB[path])
    if path not in COMMANDS and path not in GROUPS:
        raise CommandError(_unknown(path))
    while any(known.startswith(f"{path} ") for known in COMMANDS):
        word, others = _first_word(rest)
        deeper = f"{path} {word}"
        if deeper in NOT_IN_THE_LAB:
            raise CommandError(NOT_IN_THE_LAB[deeper])
        if deeper not in COMMANDS and deeper not in GROUPS:
            if path in GROUPS and word:
                words = " ".join([word, *others])
                path = "create service" if path == "create svc" else path
                raise CommandError(
                    f"unknown command \"{words}\"\nSee 'kubectl {path} -h' for help and examples"
                )
            break
        path, rest = deeper, others
    return CANONICAL.get(path, path), COMMANDS.get(path), rest


def _first_word(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the first word and all the rest, "" if something else comes first.

    Flags that every command has may stand before it.
    """
    skipped: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            return word, [*skipped, *rest]
        flag = _GLOBAL.get(word.partition("=")[0])
        if flag is None:
            break
        skipped.append(word)
        if flag.bare is None and "=" not in word and rest:
            skipped.append(rest.pop(0))
    return "", list(words)


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
