"""The templates that a StatefulSet has had, each kept as a ControllerRevision.

`new_revision` makes one for the present template, `equal` finds it among those that are there,
`template_of` reads a template back, and `superfluous` says which nobody will go back to.

Rule of use: a Pod names its revision in a label; a revision that a Pod names is never deleted.

Upstream: pkg/controller/history/controller_history.go
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from k8slab.api.apps import ControllerRevision, StatefulSet
from k8slab.api.core import PodTemplateSpec
from k8slab.api.meta import ObjectMeta
from k8slab.control_plane.controllers.controller_utils import compute_hash, controller_reference

HASH = "controller.kubernetes.io/hash"
HISTORY_LIMIT = 10  # revisionHistoryLimit, where nobody said


def new_revision(set_: StatefulSet, revision: int, collision_count: int) -> ControllerRevision:
    """Return the revision of the present template, to be created."""
    template = set_.spec.template
    digest = compute_hash(template, collision_count)
    # As JSON, with lists: so it comes back from a client that patched the revision.
    stored = msgspec.json.decode(msgspec.json.encode(template))
    return ControllerRevision(
        metadata=ObjectMeta(
            name=f"{set_.metadata.name}-{digest}",
            namespace=set_.metadata.namespace,
            labels={**template.metadata.labels, HASH: digest},
            annotations=set_.metadata.annotations,
            ownerReferences=(controller_reference(set_),),
        ),
        data={"spec": {"template": {**stored, "$patch": "replace"}}},
        revision=revision,
    )


def equal(revisions: Iterable[ControllerRevision], wanted: ControllerRevision) -> list[str]:
    """Return the names of the revisions that store the same template, in the order given."""
    return [r.metadata.name for r in revisions if r.data == wanted.data]


def template_of(revision: ControllerRevision) -> PodTemplateSpec:
    """Return the template that a revision stores."""
    stored = dict((revision.data or {})["spec"]["template"])
    stored.pop("$patch", None)
    return msgspec.convert(stored, PodTemplateSpec)


def superfluous(
    set_: StatefulSet, revisions: Sequence[ControllerRevision], live: Iterable[str]
) -> list[ControllerRevision]:
    """Return the oldest revisions beyond the limit; those whose names are in `live` stay."""
    limit = set_.spec.revisionHistoryLimit
    limit = HISTORY_LIMIT if limit is None else limit
    needed = dict.fromkeys(live)
    idle = [r for r in sorted(revisions, key=by_revision) if r.metadata.name not in needed]
    return idle[: max(len(idle) - limit, 0)]


def by_revision(revision: ControllerRevision) -> tuple[int, str, str]:
    """Sort key: the order in which the templates were last put in force."""
    meta = revision.metadata
    return revision.revision, meta.creationTimestamp or "", meta.name
