"""`kubectl label` and `annotate`: marks on objects, set with key=value, removed with key-.

A mark that has another value already is changed only with --overwrite.

Rule of use: a change is a merge patch of the metadata and nothing else; --list only shows.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/{label,annotate}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.api.label_syntax import value_errors
from k8slab.client import MERGE_PATCH
from k8slab.kubectl.changing import CHANGE, patched, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, Found, label_selector
from k8slab.kubectl.targets import targets

Marks = tuple[dict[str, str], list[str]]  # to set, to remove


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
    _check_local(call, names, "pod" if word == "label" else "rsrc")
    found, errors = await targets(call, names)
    many = len(found) > 1 or not _is_one(call, names)
    for target in found:
        try:
            await _change(call, target, field, (wanted, gone), many=many)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


def _check_local(call: Invocation, names: Sequence[str], example: str) -> None:
    form = f"-f {example}.yaml or --filename={example}.json"
    if call.local and names:
        raise CommandError(f"can only use local files by {form} when --local=true is set")
    if call.local and not call.flags.all("filename"):
        raise CommandError(f"one or more files must be specified as {form}")


def _is_one(call: Invocation, names: Sequence[str]) -> bool:
    """Say whether the words can mean one object only."""
    if not names:
        return len(call.flags.all("filename")) == 1
    return len(names) == (1 if "/" in names[0] else 2) and not label_selector(call)


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
    both = [key for key in gone if key in wanted]
    if both:
        which = (
            "a label"
            if word == "label"
            else f"the following annotation(s) in the same command: {', '.join(both)}"
        )
        end = " in the same command" if word == "label" else ""
        raise CommandError(f"can not both modify and remove {which}{end}")
    return wanted, gone


def _list(call: Invocation, marks: Mapping[str, str], title: str, many: bool) -> None:
    if many:
        call.print(f"Listing {title}:")
    for key in sorted(marks):
        call.print(f"{' ' if many else ''}{key}={marks[key]}")


async def _change(call: Invocation, target: Found, field: str, marks: Marks, *, many: bool) -> None:
    wanted, gone = marks
    present: Mapping[str, str] = getattr(target.obj.metadata, field)
    one = field[:-1]
    if not call.flags.on("overwrite"):
        _refuse_overwriting(wanted, present, one)
    for key in gone:
        if key not in present and one == "label":
            call.print(f'label "{key}" not found.')
    changed = {**wanted, **dict.fromkeys(gone)}
    if call.flags.on("list"):
        after = {key: value for key, value in {**present, **changed}.items() if value is not None}
        title = f"{field} for {target.resource.kind}.{target.resource.group}/{target.name}"
        return _list(call, after, title, many)
    changed = {key: value for key, value in changed.items() if present.get(key) != value}
    stored: Any = target.obj
    if changed:
        change: dict[str, Any] = {"metadata": {field: changed}}
        if call.flags.text("resource-version"):
            change["metadata"]["resourceVersion"] = call.flags.text("resource-version")
        stored = await patched(call, target, change, MERGE_PATCH)
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
