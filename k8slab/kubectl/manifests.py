"""Objects in files and on stdin, as kubectl reads them: YAML documents, lists, JSON.

`objects_in(call)` yields each object as plain data with its kind, or the error that keeps it from
being one: a bad document does not hide those behind it, but text that is no YAML ends its file.

Rule of use: fields are the API server's business; only apiVersion and kind are looked at here.

Upstream: staging/src/k8s.io/cli-runtime/pkg/resource/visitor.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import join, normpath
from typing import Any

import msgspec

from k8slab.api import scheme
from k8slab.api.meta import Object
from k8slab.api.yaml_text import YamlError, parse
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import BareError, CommandError
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.resources import Found

FILES = (
    Flag("filename", "f", "list"),
    Flag("kustomize", "k"),
    flag_on("recursive", "R"),
)
STDIN = "STDIN"
EXTENSIONS = (".json", ".yaml", ".yml")
TYPED = ("set", "rollout", "expose")  # commands that must know the Go type of what they read
VALIDATED = ("create", "apply", "replace")  # commands that look into what they read
NAMED = {"delete": "deleting", "replace": "replacing"}
NAMELESS = ("create", "apply", "set image", "rollout status", "wait")
NO_NAME = "resource name may not be empty"
BARE = ("get", "describe")  # commands that go on, and at the end list what went wrong
_SEPARATOR = re.compile(r"^---(?:[ \t].*)?\r?$", re.MULTILINE)


def objects_in(call: Invocation) -> Iterator[Found | CommandError]:
    """Yield the objects of all files that `-f` names, or that are in folders that it names."""
    for given in _paths(call):
        try:
            for source, text in _files(call, given):
                yield from objects_of(call, source, text)
        except CommandError as error:
            yield error


def objects_of(call: Invocation, source: str, text: str) -> Iterator[Found | CommandError]:
    """Yield the objects of a text."""
    for document in _documents(text):
        try:
            read = parse(document, duplicates=True)
        except YamlError as error:
            reason = str(error).replace("yaml: line 1: ", "yaml: ")  # go-yaml names it from 2 on
            yield CommandError(f"error parsing {source}: error converting YAML to JSON: {reason}")
            return
        for data in read:
            problem = _problem(call, source, data)
            if problem is not None:
                yield problem
                return
            for item in _flat(data):
                yield _found(call, source, item)


def _paths(call: Invocation) -> list[str]:
    return [path for given in call.flags.all("filename") for path in given.split(",")]


def _files(call: Invocation, path: str) -> Iterator[tuple[str, str]]:
    """Yield name and text of a file, or of a folder's manifests. Raises CommandError."""
    if path == "-":
        yield STDIN, call.stdin
        return
    try:
        yield path, _text(call, path.rstrip("/") or path, path)
    except IsADirectoryError:
        found = list(_manifests(call, path, deep=call.flags.given("recursive")))
        if not found:
            known = "[.json .yaml .yml]"
            raise CommandError(
                f"error reading [{path}]: recognized file extensions are {known}"
            ) from None
        for name in found:
            yield name, _text(call, name, name)


def _manifests(call: Invocation, folder: str, *, deep: bool) -> Iterator[str]:
    """Yield the names of a folder's manifests in order; with `deep` those of its folders, too."""
    for name in _text(call, f"{folder.rstrip('/')}/", folder).splitlines():
        path = normpath(join(folder, name))
        if name.endswith("/"):
            yield from _manifests(call, path, deep=True) if deep else ()
        elif name.endswith(EXTENSIONS):
            yield path


def _text(call: Invocation, path: str, named: str) -> str:
    """Return a file's text, or a folder's names; raises CommandError, IsADirectoryError."""
    try:
        return call.around.read_file(path)
    except IsADirectoryError:
        raise
    except FileNotFoundError:
        raise CommandError(f'the path "{named}" does not exist') from None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f'the path "{named}" cannot be accessed: {error}') from None


def _documents(text: str) -> Iterator[str]:
    """Split at lines of three dashes; JSON texts may simply follow one another."""
    for document in _SEPARATOR.split(text):
        if document.strip():
            yield document.lstrip("\n") if document.startswith("\n") else document


def _problem(call: Invocation, source: str, data: Any) -> CommandError | None:
    """Return why a document is no object: in the words of a validation, if the command has one."""
    if call.path in VALIDATED:
        problem = _invalid(data)
        advice = "if you choose to ignore these errors, turn validation off with --validate=false"
        said = f'error validating "{source}": error validating data: {problem}; {advice}'
        return CommandError(said) if problem else None
    problem = _undecodable(data, typed=call.path.split()[0] in TYPED)
    error = BareError if call.path in BARE else CommandError
    return error(f'unable to decode "{source}": {problem}') if problem else None


def _invalid(data: Any) -> str:
    if not isinstance(data, dict):
        return "invalid object to validate"
    missing = [f"{key} not set" for key in ("apiVersion", "kind") if not data.get(key)]
    return missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]" if missing else ""


def _undecodable(data: Any, *, typed: bool) -> str:
    if isinstance(data, dict):
        text = msgspec.json.encode(data, order="sorted").decode()
        names = {"kind": "Kind", "apiVersion": "apiVersion"}
        missing = [name for key, name in names.items() if not data.get(key)]
        return f"Object '{missing[0]}' is missing in '{text}'" if missing else ""
    words = {str: "string", bool: "bool", list: "array"}
    what = words.get(type(data), "number")
    if not typed:
        return f"json: cannot unmarshal {what} into Go value of type unstructured.detector"
    return (
        f"couldn't get version/kind; json parse error: json: cannot unmarshal {what} into Go value "
        'of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string '
        '"json:\\"kind,omitempty\\"" }'
    )


def _flat(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if str(data["kind"]).endswith("List") and isinstance(data.get("items"), list):
        for item in data["items"]:
            if isinstance(item, dict):
                yield from _flat(item) if item.get("kind") else iter((item,))
    else:
        yield data


def _defined(call: Invocation, api_version: str, kind: str) -> type[Object] | None:
    """Return the type of a kind that was defined, None if there is none of that version."""
    for row in call.custom:
        if (row.api_version, row.kind) == (api_version, kind):
            return row.type
    return None


def _found(call: Invocation, source: str, data: dict[str, Any]) -> Found | CommandError:
    meta = data.get("metadata") or {}
    name = str(meta.get("name") or "")
    namespace = str(meta.get("namespace") or "")
    api_version, kind = str(data.get("apiVersion")), str(data.get("kind"))
    type_ = scheme.lookup(api_version, kind) or _defined(call, api_version, kind)
    if type_ is None and call.path.split()[0] in TYPED:
        return CommandError(
            f'unable to decode "{source}": no kind "{kind}" is registered for version '
            f'"{api_version}" in scheme "pkg/scheme/scheme.go:28"'
        )
    if type_ is None or type_ in scheme.SUBRESOURCE_TYPES:
        error = BareError if call.path in BARE else CommandError
        return error(
            f'resource mapping not found for name: "{name}" namespace: "{namespace}" from '
            f'"{source}": no matches for kind "{kind}" in version "{api_version}"\n'
            "ensure CRDs are installed first"
        )
    resource = scheme.resource_for(type_)
    if not name and call.path not in NAMELESS and not call.local:
        doing = NAMED.get(call.path)
        return CommandError(f'error when {doing} "{source}": {NO_NAME}' if doing else NO_NAME)
    if not resource.namespaced:
        return Found(resource, "", name, data, source)
    if namespace and call.flags.given("namespace") and namespace != call.namespace:
        return CommandError(
            f'the namespace from the provided object "{namespace}" does not match the namespace '
            f"\"{call.namespace}\". You must pass '--namespace={namespace}' to perform this "
            "operation."
        )
    if call.local:
        return Found(resource, namespace, name, data, source)
    namespace = namespace or call.namespace
    placed = {**data, "metadata": {**meta, "namespace": namespace}}
    return Found(resource, namespace, name, placed, source)
