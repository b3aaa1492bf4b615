"""`kubectl label`, `annotate`, `taint`: marks on objects, set with key=value, removed with key-.

A mark that has another value already is changed only with --overwrite.

Rule of use: a change is a merge patch of the metadata (or of a Node's taints) and nothing else.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/{label,annotate,taint}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.api import codec
from k8slab.api.label_syntax import key_errors, value_errors
from k8slab.client import MERGE_PATCH
from k8slab.kubectl.changing import CHANGE, send, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, Found
from k8slab.kubectl.targets import targets

Marks = tuple[dict[str, str], list[str]]  # to set, to remove
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


async def label(call: Invocation) -> None:
    """Set and remove labels."""
    await _mark(call, "label", "labels")


async def annotate(call: Invocation) -> None:
    """Set and remove annotations."""
    await _mark(call, "annotation", "annotations")


async def _mark(call: Invocation, word: str, field: str) -> None:
    names, pairs = split_pairs(call.words)
    if not pairs and not call.flags.on("list"):
        raise CommandError(f"at least one {word} update is required")
    wanted, gone = _marks(pairs, word)
    if not wanted and not gone and not call.flags.on("list"):
        raise CommandError(f"at least one {word} update is required")
    found, errors = await targets(call, names)
    for target in found:
        try:
            if call.flags.on("list"):
                _list(call, target, field, len(found))
            else:
                await _change(call, target, field, (wanted, gone))
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


def split_pairs(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split words into those that name objects and those that are key=value or key-."""
    for index, word in enumerate(words):
        if "=" in word or (word.endswith("-") and index > 0):
            return list(words[:index]), list(words[index:])
    return list(words), []


def _marks(pairs: Sequence[str], word: str) -> Marks:
    wanted: dict[str, str] = {}
    gone: list[str] = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if equals and key:
            if word == "label" and value_errors(value):
                raise CommandError(
                    f'invalid label value: "{pair}": {"; ".join(value_errors(value))}'
                )
            wanted[key] = value
        elif not equals and pair.endswith("-"):
            gone.append(pair[:-1])
        elif equals:
            continue  # kubectl takes "=x" for no update at all
        else:
            raise CommandError(f"unknown {word} spec: {pair}")
    for key in gone:
        if key in wanted:
            raise CommandError(f"can not both modify and remove a {word} in the same command")
    return wanted, gone


def _list(call: Invocation, target: Found, field: str, many: int) -> None:
    marks: Mapping[str, str] = getattr(target.obj.metadata, field)
    if many > 1:
        call.print(
            f"Listing {field} for {target.resource.kind}.{target.resource.version}/{target.name}:"
        )
    for key in sorted(marks):
        call.print(f"{' ' if many > 1 else ''}{key}={marks[key]}")


async def _change(call: Invocation, target: Found, field: str, marks: Marks) -> None:
    wanted, gone = marks
    present: Mapping[str, str] = getattr(target.obj.metadata, field)
    one = field[:-1]
    if not call.flags.on("overwrite"):
        _refuse_overwriting(wanted, present, one)
    for key in gone:
        if key not in present and one == "label":
            call.print(f'label "{key}" not found.')
    patch = {**wanted, **dict.fromkeys(gone)}
    changed = {k: v for k, v in patch.items() if present.get(k) != v}
    stored: Any = target.obj
    if changed and call.dry_run != "client":
        change = {"metadata": {field: changed}}
        stored = await send(call, "patch", target, change, patch_type=MERGE_PATCH)
    show(call, target, stored, _done(one, wanted, gone, bool(changed)))


def _refuse_overwriting(wanted: Mapping[str, str], present: Mapping[str, str], one: str) -> None:
    for key, value in wanted.items():
        if present.get(key, value) != value:
            raise CommandError(
                f"'{key}' already has a value ({present[key]}), and --overwrite is false"
                if one == "label"
                else f"--overwrite is false but found the following declared annotation(s): "
                f"'{key}' already has a value ({present[key]})"
            )


def _done(one: str, wanted: Mapping[str, str], gone: Sequence[str], changed: bool) -> str:
    if one == "annotation":
        return "annotated"
    if not changed:
        return "not labeled"
    return "unlabeled" if gone and not wanted else "labeled"


async def taint(call: Invocation) -> None:
    """Set and remove taints of Nodes."""
    split = next((i for i, w in enumerate(call.words) if _is_taint(w)), len(call.words))
    names, specs = call.words[:split], call.words[split:]
    if not names or (
        len(names) == 1 and not call.flags.on("all") and not call.flags.text("selector")
    ):
        raise CommandError("one or more resources must be specified as <resource> <name>")
    if not specs:
        raise CommandError("at least one taint update is required")
    parsed = [_taint(spec) for spec in specs]
    found, errors = await targets(call, names)
    for target in found:
        try:
            await _taint_node(call, target, parsed)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


def _is_taint(word: str) -> bool:
    return "=" in word or ":" in word or word.endswith("-")


def _taint(spec: str) -> dict[str, str]:
    """Return a taint of the form key[=value]:Effect, or key[:Effect]- with "gone" set."""
    gone = spec.endswith("-")
    body, _, effect = spec.removesuffix("-").partition(":")
    key, _, value = body.partition("=")
    problems = key_errors(key)
    if problems:
        raise CommandError(f"invalid taint spec: {spec}, {'; '.join(problems)}")
    if effect not in EFFECTS and not (gone and not effect):
        detail = f"invalid taint effect: {effect}, unsupported taint effect" if effect else ""
        raise CommandError(detail or f"invalid taint spec: {spec}")
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
    stored: Any = target.obj
    if call.dry_run != "client":
        change = {"spec": {"taints": present or None}}
        stored = await send(call, "patch", target, change, patch_type=MERGE_PATCH)
    only_removed = removed and all(spec["gone"] for spec in wanted)
    done = "untainted" if only_removed else "modified" if call.flags.on("overwrite") else "tainted"
    show(call, target, stored, done)


_FLAGS = (
    *FILES,
    *CHANGE,
    *SELECTORS,
    Flag("resource-version"),
    flag_on("all"),
    flag_on("list"),
    flag_on("local"),
    flag_on("overwrite"),
)
LABEL = Command(label, _FLAGS)
ANNOTATE = Command(annotate, _FLAGS)
TAINT = Command(taint, _FLAGS)
