"""Which objects a command means: "pods", "pod web", "deploy/web svc/web", "pods,svc -l app=web".

`selections(words)` reads the words of a command; a `Finder` asks the API server for the objects.
What cannot be found does not hide the rest: its error is kept.

Rule of use: a word with a slash is one object; words without are a kind and then names.

Upstream: staging/src/k8s.io/cli-runtime/pkg/resource/builder.go
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from k8slab.api import scheme
from k8slab.api.errors import ApiError
from k8slab.api.meta import Object
from k8slab.api.scheme import KINDS, Resource
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Invocation

Custom: TypeAlias = tuple[Resource, ...]  # kinds that were defined, best versions first
LABELS = Flag("selector", "l")
SELECTORS = (
    LABELS,
    Flag("field-selector"),
    flag_on("all-namespaces", "A"),
)
MUST_SPECIFY = """\
You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""
_SLASH = (
    "there is no need to specify a resource type as a separate argument when passing arguments in "
    "resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get "
    "resource resource/<resource_name>'"
)


class Selection(msgspec.Struct, frozen=True):
    """Some objects of one kind: those named, or all that selectors match (names is None)."""

    resource: Resource
    names: tuple[str, ...] | None = None


class Found(msgspec.Struct, frozen=True):
    """One object, where it is, and what it is.

    `source` is the file that names it, `data` what the file says if that is all there is to know.
    """

    resource: Resource
    namespace: str
    name: str
    obj: Any = None
    source: str = ""
    data: Any = None

    @property
    def title(self) -> str:
        """What messages call it: "deployment.apps/web"."""
        return f"{kind_of(self.resource)}/{self.name}"


def kind_of(resource: Resource) -> str:
    """Return the name that messages give a kind: "pod", "deployment.apps"."""
    return f"{resource.singular}.{resource.group}" if resource.group else resource.singular


def group_version_resource(resource: Resource) -> str:
    """Return a kind as Go prints it: "/v1, Resource=pods"."""
    return f"{resource.group}/{resource.version}, Resource={resource.plural}"


def resolve(name: str, custom: Custom = ()) -> Resource:
    """Return the kind that a word means; CommandError if there is none."""
    found = scheme.resolve(name, custom)
    if found is None:
        plural, _, group = name.partition(".")
        where = f' in group "{group}"' if group else ""
        raise CommandError(f'the server doesn\'t have a resource type "{plural}"{where}')
    return found


def split_name(word: str, custom: Custom = ()) -> tuple[Resource, str]:
    """Return kind and name of a word such as "deploy/web"."""
    kind, _, name = word.partition("/")
    if not kind or not name or "/" in name:
        raise CommandError(
            "arguments in resource/name form may not have more than one slash"
            if "/" in name
            else "arguments in resource/name form must have a single resource and name"
        )
    return resolve(kind, custom), name


def selections(words: Sequence[str], custom: Custom = ()) -> list[Selection]:
    """Return what the words mean: kinds, or names of them."""
    if any("/" in word for word in words):
        if not all("/" in word for word in words):
            raise CommandError(_SLASH)
        return [
            Selection(resource, (name,))
            for resource, name in (split_name(word, custom) for word in words)
        ]
    names = tuple(words[1:]) or None
    return [Selection(resource, names) for resource in kinds_of(words[0], custom)]


def kinds_of(word: str, custom: Custom = ()) -> list[Resource]:
    """Return the kinds in a word such as "pods,svc" or "all"."""
    found: dict[str, Resource] = {}
    for part in word.split(","):
        members = [kind for kind in (*KINDS, *custom) if part in kind.categories]
        for resource in members or [resolve(part, custom)]:
            found.setdefault(resource.group_resource, resource)
    return list(found.values())


def label_selector(call: Invocation) -> str:
    """Return what -l says; the --selector of `expose` is another one, and chooses no objects."""
    flags = call.flags
    return flags.text("selector") if flags.flags.get("selector") == LABELS else ""


class Finder:
    """Asks for objects one selection at a time, and keeps what went wrong."""

    def __init__(self, call: Invocation) -> None:
        self.call = call
        self.errors: list[Exception] = []
        flags = call.flags
        self._labels = label_selector(call)
        self._fields = flags.text("field-selector") if flags.has("field-selector") else ""
        self._absent_is_fine = flags.has("ignore-not-found") and flags.on("ignore-not-found")
        self._everywhere = flags.has("all-namespaces") and flags.on("all-namespaces")

    async def find(self, words: Sequence[str]) -> list[Found]:
        """Return the objects that the words mean, each whole."""
        found: list[Found] = []
        for selection in self.check(selections(words, self.call.custom)):
            for answer in await self.ask(selection):
                objects = getattr(answer, "items", None)
                for obj in (answer,) if objects is None else objects:
                    meta = obj.metadata
                    found.append(Found(selection.resource, meta.namespace, meta.name, obj))
        return found

    def check(self, wanted: list[Selection]) -> list[Selection]:
        """Return the selections if they agree with the flags; CommandError if not."""
        named = any(selection.names for selection in wanted)
        if named and (self._labels or self._fields):
            raise CommandError(
                "selectors and the all flag cannot be used when passing resource/name arguments"
                if any("/" in word for word in self.call.words)
                else "name cannot be provided when a selector is specified"
            )
        if named and self._everywhere:
            raise CommandError("a resource cannot be retrieved by name across all namespaces")
        return wanted

    async def ask(self, selection: Selection, **fields: Any) -> list[Any]:
        """Return one answer for each name, or one list; errors are kept."""
        answers = []
        for name in selection.names or (None,):
            try:
                answers.append(await self._one(selection.resource, name, fields))
            except ApiError as error:
                if not (self._absent_is_fine and error.reason == "NotFound"):
                    self.errors.append(error)
        return answers

    async def _one(self, resource: Resource, name: str | None, fields: dict[str, Any]) -> Any:
        call = self.call
        if name is not None:
            return await call.request(
                "get", resource, namespace=call.namespace, name=name, **fields
            )
        namespace = "" if self._everywhere else call.namespace
        try:
            return await call.request(
                "list",
                resource,
                namespace=namespace,
                label_selector=self._labels,
                field_selector=self._fields,
                **fields,
            )
        except ApiError as error:
            raise self._explained(resource, error) from None

    def _explained(self, resource: Resource, error: ApiError) -> ApiError:
        """Say which list was refused, as the visitor of a selector does."""
        if error.reason not in ("BadRequest", "NotFound"):
            return error
        kind = group_version_resource(resource)
        message = f'Unable to list "{kind}": {error.message}'
        if self._labels or self._fields:
            message = (
                f'Unable to find "{kind}" that match label selector "{self._labels}", '
                f'field selector "{self._fields}": {error.message}'
            )
        return ApiError(replace(error.status, message=message))


async def get_object(call: Invocation, resource: Resource, name: str, namespace: str = "") -> Any:
    """Return one object; raises ApiError with reason NotFound."""
    return await call.request("get", resource, namespace=namespace or call.namespace, name=name)


async def list_objects(
    call: Invocation, kind: str, namespace: str = "", *, labels: str = "", fields: str = ""
) -> tuple[Any, ...]:
    """Return all objects of a kind that selectors match."""
    listing = await call.request(
        "list",
        scheme.resource_for(kind),
        namespace=namespace,
        label_selector=labels,
        field_selector=fields,
    )
    items: tuple[Object, ...] = listing.items
    return items
