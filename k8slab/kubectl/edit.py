"""`kubectl edit`: an object as text, changed by an editor, sent back as a patch.

A cell has no editor that opens a window. Its text may come from the cell, or be changed by sed:

    %%kubectl edit deploy/web                          and below it the whole object as it shall be
    KUBE_EDITOR="sed -i s/nginx:1.27/nginx:1.28/" kubectl edit deploy/web

Rule of use: only what differs between the text before and after is sent.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/edit, pkg/cmd/util/editor
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from k8slab.api.errors import ApiError
from k8slab.api.yaml_text import YamlError, dump, parse
from k8slab.kubectl.apply import change_of
from k8slab.kubectl.changing import CHANGE, send, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError, Exit, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.printers import list_of, plain, without_books
from k8slab.kubectl.resources import SELECTORS, Found
from k8slab.kubectl.targets import targets

NO_EDITOR = (
    "the lab opens no editor: give the edited object on stdin (in a notebook, below %%kubectl "
    'edit), or write KUBE_EDITOR="sed -i s/OLD/NEW/" kubectl edit ...'
)
NOT_SAVED = "Edit cancelled, no valid changes were saved."
UNCHANGED = "Edit cancelled, no changes made.\n"
_SUBSTITUTE = re.compile(r"s(?P<sign>[^\w\s\\]).*", re.DOTALL)


async def edit(call: Invocation) -> None:
    """Change objects as an editor changes their text."""
    output = call.flags.text("output") if call.flags.has("output") else ""
    if output not in ("", "json", "yaml", "kyaml"):
        raise CommandError(
            f'unable to match a printer suitable for the output format "{output}", allowed formats '
            "are: json,kyaml,yaml"
        )
    found, errors = await targets(call, whole_kinds=True)
    raise_all(errors)
    if not found:
        raise CommandError("edit cancelled, no objects found")
    before = [without_books(plain(target.obj)) for target in found]
    text = dump(before[0] if len(before) == 1 else list_of(before))
    edited = _edited(call, text)
    try:
        documents = parse(edited)
    except YamlError as error:
        raise CommandError(
            f"{error}\nerror: Edit cancelled, no valid changes were saved."
        ) from None
    before, after = _objects(parse(text)), _objects(documents)
    if after == before or not after:
        raise Exit(UNCHANGED, 0)
    for target, old in zip(found, before, strict=True):
        new = next((each for each in after if _key(each) == _key(old)), None)
        if new is None:
            raise CommandError("At least one of apiVersion, kind and name was changed")
        await _save(call, target, old, new)


def _edited(call: Invocation, text: str) -> str:
    editor = call.around.environment.get("KUBE_EDITOR") or call.around.environment.get("EDITOR")
    if editor:
        return run_editor(editor, text)
    if not call.stdin.strip():
        raise CommandError(NO_EDITOR)
    return call.stdin


def run_editor(editor: str, text: str) -> str:
    """Return the text as `sed -i SCRIPT` leaves it; CommandError for any other editor.

    >>> run_editor("sed -i s/a/b/", "x: a")
    'x: b'
    """
    words = shlex.split(editor)
    if words[:1] == ["true"]:
        return text
    if len(words) < 2 or words[0] != "sed":
        raise CommandError(NO_EDITOR)
    scripts = [word for word in words[1:] if not word.startswith("-")]
    for script in scripts:
        for command in script.split(";"):
            text = _substituted(command.strip(), text)
    return text


def _substituted(command: str, text: str) -> str:
    match = _SUBSTITUTE.fullmatch(command)
    parts = re.split(rf"(?<!\\){re.escape(match['sign'])}", command[2:]) if match else []
    if match is None or len(parts) != 3 or set(parts[2]) - {"g"}:
        raise CommandError(f"the lab's sed knows s/OLD/NEW/ and s/OLD/NEW/g, got {command}")
    try:
        pattern = re.compile(parts[0].replace("\\" + match["sign"], match["sign"]))
        count = 0 if parts[2] else 1
        return "\n".join(pattern.sub(parts[1], line, count=count) for line in text.split("\n"))
    except re.error as error:
        raise CommandError(f"sed: {error}") from None


def _objects(documents: list[Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for document in documents:
        if not isinstance(document, dict):
            raise CommandError(NOT_SAVED)
        found += document.get("items", []) if document.get("kind") == "List" else [document]
    return found


def _key(obj: dict[str, Any]) -> tuple[Any, Any, Any]:
    return obj.get("apiVersion"), obj.get("kind"), (obj.get("metadata") or {}).get("name")


async def _save(call: Invocation, target: Found, old: dict[str, Any], new: dict[str, Any]) -> None:
    change, type_ = change_of(target, old, new, target.obj)
    if not change:
        return call.say(f"{target.title} skipped")
    try:
        stored = await send(call, "patch", target, change, patch_type=type_)
    except ApiError as error:
        title = f'{target.resource.group_resource} "{target.name}"'
        problem = "is invalid" if error.reason == "Invalid" else "could not be patched"
        text = f"error: {title} {problem}: {error.message}\n"
        raise Exit(f"{text}error: {NOT_SAVED}\n", 1) from None
    show(call, target, stored, "edited")


EDIT = Command(
    edit,
    (
        *FILES,
        *CHANGE,
        *SELECTORS,
        Flag("subresource"),
        flag_on("output-patch"),
        flag_on("windows-line-endings"),
    ),
)
