"""The templates that a DaemonSet has had, each kept as a ControllerRevision.

`patch_of` is what a revision stores, `new_revision` makes one for the present template, and
`superfluous` says which are beyond the history that the DaemonSet keeps.

Rule of use: a revision is found by what it stores; its name only avoids clashes.

Upstream: pkg/controller/daemon/update.go, pkg/controller/history/controller_history.go
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from k8slab.api.apps import ControllerRevision, DaemonSet
from k8slab.api.core import Pod
from k8slab.api.meta import ObjectMeta
from k8slab.control_plane.controllers.controller_utils import compute_hash, controller_reference
from k8slab.control_plane.controllers.daemon_set.placement import REVISION_HASH

HISTORY_LIMIT = 10  # revisionHistoryLimit, where nobody said


def patch_of(ds: DaemonSet) -> dict[str, Any]:
    """Return the patch that brings a DaemonSet back to the present template."""
    # As JSON, with lists: so it comes back from a client that patched the revision.
    template = msgspec.json.decode(msgspec.json.encode(ds.spec.template))
    return {"spec": {"template": {**template, "$patch": "replace"}}}


def new_revision(ds: DaemonSet, revision: int) -> ControllerRevision:
    """Return the revision of the present template, to be created."""
    template = ds.spec.template
    digest = compute_hash(template, ds.status.collisionCount)
    return ControllerRevision(
        metadata=ObjectMeta(
            name=f"{ds.metadata.name}-{digest}",
            namespace=ds.metadata.namespace,
            labels={**template.metadata.labels, REVISION_HASH: digest},
            annotations=ds.metadata.annotations,
            ownerReferences=(controller_reference(ds),),
        ),
        data=patch_of(ds),
        revision=revision,
    )


def superfluous(
    ds: DaemonSet, old: Sequence[ControllerRevision], pods: Sequence[Pod]
) -> list[ControllerRevision]:
    """Return the oldest revisions beyond the limit, sparing those that still have Pods."""
    limit = HISTORY_LIMIT if ds.spec.revisionHistoryLimit is None else ds.spec.revisionHistoryLimit
    live = {pod.metadata.labels.get(REVISION_HASH) for pod in pods}
    idle = [r for r in old if r.metadata.labels.get(REVISION_HASH) not in live]
    idle.sort(key=lambda revision: revision.revision)
    return idle[: max(len(old) - limit, 0)]
