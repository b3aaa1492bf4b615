"""`kubectl apply view-last-applied` and `set-last-applied`: the annotation, read and written.

Rule of use: setting it changes nothing else of the object; the next apply then compares with it.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/apply/apply_{view,set}_last_applied.go
"""

from __future__ import annotations

from typing import Any

from k8slab.api.yaml_text import dump
from k8slab.client import MERGE_PATCH
from k8slab.kubectl.changing import CHANGE, check_output, patched, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.last_applied import LAST_APPLIED, last_applied, without_last_applied
from k8slab.kubectl.manifests import FILES, objects_in
from k8slab.kubectl.printers import compact_json, to_json
from k8slab.kubectl.resources import MUST_SPECIFY, Found, get_object
from k8slab.kubectl.targets import targets

NO_ANNOTATION = "no last-applied-configuration annotation found on resource: {}"
CREATE_IT = ", to create the annotation, run the command with --create-annotation"


async def view_last_applied(call: Invocation) -> None:
    """Print the manifest that was applied last."""
    found, errors = await targets(call)
    for target in found:
        manifest = last_applied(target.obj)
        if manifest is None:
            if call.words:  # kubectl says nothing of objects that were named
                continue
            problem = NO_ANNOTATION.format(target.name)
            raise CommandError(f'error when {problem}\n "{target.source}": <nil>')
        as_json = call.flags.text("output") == "json"
        call.print(to_json(manifest) if as_json else dump(manifest), end="")
    raise_all(errors)


async def set_last_applied(call: Invocation) -> None:
    """Write the manifests of the files into the annotations of their objects."""
    if not call.flags.all("filename"):
        raise CommandError(MUST_SPECIFY)
    check_output(call)
    for item in objects_in(call):
        if isinstance(item, Exception):
            raise item
        await _set(call, item)


async def _set(call: Invocation, item: Found) -> None:
    live: Any = await get_object(call, item.resource, item.name, item.namespace)
    text = compact_json(_bare(item.obj)) + "\n"
    before = live.metadata.annotations.get(LAST_APPLIED)
    if before is None and not call.flags.on("create-annotation"):
        raise CommandError(NO_ANNOTATION.format(item.name) + CREATE_IT)
    if before == text:
        return call.print(f"set-last-applied {item.name}: no changes required.")
    target = Found(item.resource, item.namespace, item.name, live)
    change = {"metadata": {"annotations": {LAST_APPLIED: text}}}
    stored = await patched(call, target, change, MERGE_PATCH)
    show(call, target, stored, "configured")


def _bare(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest without the annotation; no annotations at all if there are no others."""
    bare = without_last_applied(manifest)
    meta = {key: value for key, value in bare["metadata"].items() if value or key != "annotations"}
    return {**bare, "metadata": meta}


VIEW_LAST_APPLIED = Command(
    view_last_applied, (*FILES, Flag("output", "o"), Flag("selector", "l"), flag_on("all"))
)
SET_LAST_APPLIED = Command(set_last_applied, (*FILES, *CHANGE, flag_on("create-annotation")))
