"""`kubectl taint`: marks on Nodes that keep Pods away, set with key=value:Effect, taken with key-.

A taint is known by its key and effect; one that is there already is changed only with --overwrite.

Rule of use: a change is a merge patch of all taints of the Node.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/taint
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api import codec
from k8slab.api.label_syntax import key_errors, value_errors
from k8slab.client import MERGE_PATCH
from k8slab.kubectl.changing import CHANGE, patched, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import KNOWN_ERRORS, BareError, CommandError, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, Found
from k8slab.kubectl.targets import targets

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


async def taint(call: Invocation) -> None:
    """Set and remove taints of Nodes."""
    split = next((i for i, w in enumerate(call.words) if _is_taint(w)), len(call.words))
    names, specs = call.words[:split], call.words[split:]
    if not names:
        raise CommandError("one or more resources must be specified as <resource> <name>")
    if not specs:
        raise CommandError("at least one taint update is required")
    try:
        parsed = _taints(specs)
    except ValueError as error:
        raise CommandError(f"{error}\nSee 'kubectl taint -h' for help and examples") from None
    if names[0].lower() not in ("node", "nodes", "no"):
        if "/" in names[0]:
            raise BareError(f'the server doesn\'t have a resource type "{names[0]}"')
        raise CommandError(f"invalid resource type {names[0]}, only node types are supported")
    if len(names) == 1 and not call.flags.on("all") and not call.flags.text("selector"):
        raise CommandError(
            "at least one resource name must be specified since 'all' parameter is not set"
        )
    _refuse_both(parsed)
    found, errors = await targets(call, names)
    for target in found:
        try:
            await _taint_node(call, target, parsed)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


def _is_taint(word: str) -> bool:
    return "=" in word or ":" in word or word.endswith("-")


def _taints(specs: Sequence[str]) -> list[dict[str, str]]:
    """Return what is to be set and taken; ValueError if something is to be set twice."""
    parsed = [_taint(spec) for spec in specs]
    seen: set[tuple[str, str]] = set()
    for taint in parsed:
        known = taint["key"], taint["effect"]
        if not taint["gone"] and known in seen:
            shown = f"{{{taint['key']} {taint['value']} {taint['effect']} <nil>}}"
            raise ValueError(f"duplicated taints with the same key and effect: {shown}")
        if not taint["gone"]:
            seen.add(known)
    return parsed


def _refuse_both(parsed: Sequence[dict[str, str]]) -> None:
    gone = [(taint["key"], taint["effect"]) for taint in parsed if taint["gone"]]
    both = [
        f"{key}={effect}"
        for key, effect in gone
        if any(t["key"] == key and effect in ("", t["effect"]) for t in parsed if not t["gone"])
    ]
    if both:
        raise CommandError(
            "can not both modify and remove the following taint(s) in the same command: "
            + ", ".join(both)
        )


def _taint(spec: str) -> dict[str, str]:
    """Return a taint of the form key[=value]:Effect, or key[:Effect]- with "gone" set.

    Raises ValueError.
    """
    gone = spec.endswith("-")
    body = spec.removesuffix("-")
    pair, *effects = body.split(":")
    key, *values = pair.split("=") if effects else [pair]
    effect = effects[0] if effects else ""
    if len(effects) > 1 or len(values) > 1:
        raise ValueError(f"invalid taint spec: {body}")
    problems = key_errors(key)
    if not problems and values:
        problems = value_errors(values[0])
    if problems:
        raise ValueError(f"invalid taint spec: {body}, {'; '.join(problems)}")
    if effects and effect not in EFFECTS:
        raise ValueError(f"invalid taint effect: {effect}, unsupported taint effect")
    if not effect and not gone:
        raise ValueError(f"invalid taint spec: {spec}")
    value = values[0] if values else ""
    return {"key": key, "value": value, "effect": effect, "gone": "yes" if gone else ""}


async def _taint_node(call: Invocation, target: Found, wanted: list[dict[str, str]]) -> None:
    present = [codec.to_dict(taint) for taint in target.obj.spec.taints]
    removed = False
    for spec in wanted:
        same = [
            t for t in present if t["key"] == spec["key"] and spec["effect"] in ("", t["effect"])
        ]
        if spec["gone"]:
            if not same:
                shown = spec["key"] + (f":{spec['effect']}" if spec["effect"] else "")
                raise CommandError(f'taint "{shown}" not found')
            removed = True
        elif same and not call.flags.on("overwrite"):
            raise CommandError(
                f"node {target.name} already has {spec['key']} taint(s) with same effect(s) and "
                "--overwrite is false"
            )
        present = [taint for taint in present if taint not in same]
        if not spec["gone"]:
            kept = {k: spec[k] for k in ("key", "effect", "value") if spec[k]}
            present.append(kept)
    stored = await patched(call, target, {"spec": {"taints": present or None}}, MERGE_PATCH)
    only_removed = removed and all(spec["gone"] for spec in wanted)
    done = "untainted" if only_removed else "modified" if call.flags.on("overwrite") else "tainted"
    show(call, target, stored, done, note=False)  # kubectl forgets to say that it is a dry run


TAINT = Command(
    taint,
    (*FILES, *CHANGE, *SELECTORS, Flag("resource-version"), flag_on("all"), flag_on("overwrite")),
)
