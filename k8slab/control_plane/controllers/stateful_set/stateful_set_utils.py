"""The identity of a StatefulSet's Pods: name, labels, host name and claims by ordinal.

`pod_for` makes the Pod of an ordinal, `ordinal_of` reads the number off a name, `with_identity`
repairs what somebody changed; `claims_of` are the claims a Pod needs and `claim_owners` says who
takes them along when it goes.

Rule of use: everything here is a pure function; a name belongs to one ordinal for ever.

Upstream: pkg/controller/statefulset/stateful_set_utils.go
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.apps import StatefulSet
from k8slab.api.core import (
    PersistentVolumeClaim,
    PersistentVolumeClaimVolumeSource,
    Pod,
    PodTemplateSpec,
    Volume,
)
from k8slab.api.meta import ObjectMeta, OwnerReference
from k8slab.api.pods import is_pod_available, is_pod_ready
from k8slab.control_plane.controllers.controller_utils import (
    controller_reference,
    pod_from_template,
)

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
REVISION_HASH = "controller-revision-hash"


def ordinal_of(name: str, set_name: str) -> int:
    """Return the number at the end of a Pod's name, -1 if it is not a name of this set.

    >>> ordinal_of("db-12", "db"), ordinal_of("db-x", "db"), ordinal_of("other-1", "db")
    (12, -1, -1)
    """
    parent, dash, number = name.rpartition("-")
    return int(number) if dash and parent == set_name and number.isdecimal() else -1


def wanted(set_: StatefulSet) -> int:
    """Return the number of Pods asked for, 1 if nobody said."""
    return 1 if set_.spec.replicas is None else set_.spec.replicas


def first_ordinal(set_: StatefulSet) -> int:
    """Return the number at which the set starts to count."""
    return set_.spec.ordinals.start if set_.spec.ordinals is not None else 0


def is_ordered(set_: StatefulSet) -> bool:
    """Say whether each Pod waits for the one before it."""
    return set_.spec.podManagementPolicy != "Parallel"


# -- Pods


def pod_for(set_: StatefulSet, template: PodTemplateSpec, revision: str, ordinal: int) -> Pod:
    """Return the Pod of an ordinal, of the template that `revision` names."""
    made = pod_from_template(template, set_, controller_reference(set_))
    made = replace(made, metadata=replace(made.metadata, name=f"{set_.metadata.name}-{ordinal}"))
    made = with_identity(set_, made)
    meta = made.metadata
    spec = replace(made.spec, hostname=meta.name, subdomain=set_.spec.serviceName)
    labels = {**meta.labels, REVISION_HASH: revision}
    return replace(made, metadata=replace(meta, labels=labels), spec=spec)


def identity_matches(set_: StatefulSet, pod: Pod) -> bool:
    """Say whether the Pod carries the labels and mounts the claims of its ordinal."""
    return with_identity(set_, pod) == pod


def with_identity(set_: StatefulSet, pod: Pod) -> Pod:
    """Return the Pod with the labels and claims of its ordinal."""
    meta = pod.metadata
    index = str(ordinal_of(meta.name, set_.metadata.name))
    labels = {**meta.labels, POD_NAME: meta.name, POD_INDEX: index}
    volumes = {volume.name: volume for volume in pod.spec.volumes}
    for claim in set_.spec.volumeClaimTemplates:
        name = claim.metadata.name
        source = PersistentVolumeClaimVolumeSource(claimName=claim_name(claim, pod))
        if name in volumes and volumes[name].persistentVolumeClaim == source:
            continue
        volumes[name] = Volume(name=name, persistentVolumeClaim=source)
    spec = replace(pod.spec, volumes=tuple(volumes.values()))
    return replace(pod, metadata=replace(meta, labels=labels), spec=spec)


def revision_of(pod: Pod) -> str:
    """Return the name of the revision that the Pod was made of."""
    return pod.metadata.labels.get(REVISION_HASH, "")


def exists(pod: Pod) -> bool:
    """Say whether the Pod is stored, and not only planned."""
    return pod.metadata.uid != ""


def is_leaving(pod: Pod) -> bool:
    """Say whether somebody deleted the Pod."""
    return pod.metadata.deletionTimestamp is not None


def is_running_and_ready(pod: Pod) -> bool:
    """Say whether the Pod runs and is ready."""
    return pod.status.phase == "Running" and is_pod_ready(pod)


def is_available(set_: StatefulSet, pod: Pod, now: float) -> bool:
    """Say whether the Pod has been ready for minReadySeconds."""
    return pod.status.phase == "Running" and is_pod_available(pod, set_.spec.minReadySeconds, now)


# -- claims


def claim_name(template: PersistentVolumeClaim, pod: Pod) -> str:
    """Return the name of the claim that a template gives to a Pod."""
    return f"{template.metadata.name}-{pod.metadata.name}"


def claims_of(set_: StatefulSet, pod: Pod) -> tuple[PersistentVolumeClaim, ...]:
    """Return the claims that the Pod needs, to be created where they are missing."""
    selector = set_.spec.selector
    own = selector.matchLabels if selector is not None else {}
    return tuple(
        replace(
            claim,
            metadata=ObjectMeta(
                name=claim_name(claim, pod),
                namespace=set_.metadata.namespace,
                labels={**claim.metadata.labels, **own},
                annotations=claim.metadata.annotations,
                ownerReferences=claim_owners(set_, pod, ()),
            ),
        )
        for claim in set_.spec.volumeClaimTemplates
    )


def claim_owners(
    set_: StatefulSet, pod: Pod, present: tuple[OwnerReference, ...]
) -> tuple[OwnerReference, ...]:
    """Return who owns the Pod's claims by the retention policy, beside owners of other kinds.

    With whenDeleted: Delete it is the set; with whenScaled: Delete it is the Pod, once it is beyond
    the set's size. With Retain nobody takes a claim along.
    """
    policy = set_.spec.persistentVolumeClaimRetentionPolicy
    uids = (set_.metadata.uid, pod.metadata.uid)
    others = tuple(ref for ref in present if ref.uid not in uids)
    if policy is None:
        return others
    mine: tuple[OwnerReference, ...] = ()
    if policy.whenDeleted == "Delete":
        mine += (replace(controller_reference(set_), controller=None, blockOwnerDeletion=None),)
    beyond = not 0 <= index_of(set_, pod) < wanted(set_)
    if policy.whenScaled == "Delete" and beyond:
        owner = OwnerReference(
            apiVersion="v1", kind="Pod", name=pod.metadata.name, uid=pod.metadata.uid
        )
        mine = (owner,)
    return others + mine


def index_of(set_: StatefulSet, pod: Pod) -> int:
    """Return how many ordinals of the set come before the Pod's."""
    return ordinal_of(pod.metadata.name, set_.metadata.name) - first_ordinal(set_)
