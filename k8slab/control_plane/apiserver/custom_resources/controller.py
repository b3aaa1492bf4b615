"""The loop that makes definitions real: names first, then the kind is served, at last cleaned up.

It runs within the API server, over its loopback client. A new definition gets its names if nobody
in its group has them, then it is established. One that is being deleted loses its objects first,
then the finalizer that held it.

Rule of use: what is written is only the status (and the finalizer); serving follows from it.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/controller/{status,establish,finalizer,
apiapproval}
"""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec.structs import replace

from k8slab.api.apiextensions import (
    CLEANUP,
    ESTABLISHED,
    NAMES_ACCEPTED,
    TERMINATING,
    CustomResourceDefinition,
    CustomResourceDefinitionCondition,
)
from k8slab.api.conditions import is_true, set_condition
from k8slab.api.custom import Custom, served_kinds, type_of
from k8slab.api.meta import timestamp
from k8slab.client import Client, Informers, WorkQueue
from k8slab.control_plane.apiserver.custom_resources.naming import accepted
from k8slab.control_plane.apiserver.validation.definitions import APPROVED
from k8slab.sim import Simulation

APPROVAL_CONDITION = "KubernetesAPIApprovalPolicyConformant"
POLL = 5.0  # s, between looks whether all objects are gone
PATIENCE = 60.0  # s


class CustomResourceController:
    """The loop: look at the definitions that changed."""

    def __init__(self, sim: Simulation, client: Client) -> None:
        self._sim = sim
        self._client = client
        self._definitions = Informers(sim, client).informer(CustomResourceDefinition)
        self._queue = WorkQueue(sim, "crd_naming_condition_controller")

    async def run(self) -> None:
        """Look after definitions for ever."""
        self._definitions.add_handler(self._on_definition)
        await self._definitions.synced.wait()
        await self._queue.run(self._sync)

    def _on_definition(
        self, old: CustomResourceDefinition | None, new: CustomResourceDefinition | None
    ) -> None:
        changed = new if new is not None else old
        assert changed is not None
        for crd in self._definitions.all():  # a name that is free now may be another's
            if crd.spec.group == changed.spec.group:
                self._queue.add(crd.metadata.name)

    async def _sync(self, name: str) -> None:
        crd = self._definitions.by_key(name)
        if crd is None:
            return
        if crd.metadata.deletionTimestamp is not None:
            if CLEANUP in crd.metadata.finalizers:
                await self._clean_up(crd)
            return
        wanted = self._named(crd)
        if wanted != crd:
            crd = await self._client.update_status(wanted)
        ready = established(crd, self._sim.now)
        if ready != crd:
            await self._client.update_status(ready)

    def _named(self, crd: CustomResourceDefinition) -> CustomResourceDefinition:
        crd = approved(crd, self._sim.now)
        if crd.spec.names == crd.status.acceptedNames:
            return crd
        others = (
            other
            for other in self._definitions.all()
            if other.spec.group == crd.spec.group and other.metadata.name != crd.metadata.name
        )
        return replace(crd, status=accepted(crd, others, self._sim.now))

    async def _clean_up(self, crd: CustomResourceDefinition) -> None:
        """Delete all objects of the kind, wait until they are gone, let the definition go."""
        why = ("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
        crd = await self._client.update_status(_terminating(crd, why, self._sim.now))
        why = ("False", "NeverEstablished", "resource was never established")
        if is_true(crd.status.conditions, ESTABLISHED) and served_kinds(crd):
            why = await self._delete_objects(type_of(served_kinds(crd)[0]))
        crd = _terminating(crd, why, self._sim.now)
        if why[0] == "True":
            await self._client.update_status(crd)
            self._queue.add_rate_limited(crd.metadata.name)
            return
        kept = tuple(name for name in crd.metadata.finalizers if name != CLEANUP)
        crd = replace(crd, metadata=replace(crd.metadata, finalizers=kept))
        await self._client.update_status(crd)

    async def _delete_objects(self, kind: type[Custom]) -> tuple[str, str, str]:
        listing = await self._client.list(kind)
        for namespace in dict.fromkeys(obj.metadata.namespace for obj in listing.items):
            await self._client.call("deletecollection", kind, namespace=namespace)
        until = self._sim.now + PATIENCE
        while (await self._client.list(kind)).items:
            if self._sim.now >= until:
                text = "could not confirm zero CustomResources remaining: timed out waiting for "
                return "True", "InstanceDeletionCheck", f"{text}the condition"
            await self._sim.sleep(POLL, f"{kind.__name__} objects are being deleted")
        return "False", "InstanceDeletionCompleted", "removed all instances"


def established(crd: CustomResourceDefinition, now: float) -> CustomResourceDefinition:
    """Return the definition as served, if its names are accepted."""
    found = crd.status.conditions
    if not is_true(found, NAMES_ACCEPTED) or is_true(found, ESTABLISHED):
        return crd
    text = "the initial names have been accepted"
    return _with(crd, ESTABLISHED, ("True", "InitialNamesAccepted", text), now)


def approved(crd: CustomResourceDefinition, now: float) -> CustomResourceDefinition:
    """Return the definition with what it says of its approval, if its group needs one."""
    said = crd.metadata.annotations.get(APPROVED)
    if not said or not crd.spec.group.endswith(("k8s.io", "kubernetes.io")):
        return crd
    url = urlsplit(said)
    why = ("False", "UnapprovedAnnotation", f'not approved: "{said}"')
    if url.scheme and url.netloc:
        why = ("True", "ApprovedAnnotation", f"approved in {said}")
    return _with(crd, APPROVAL_CONDITION, why, now)


def _terminating(
    crd: CustomResourceDefinition, why: tuple[str, str, str], now: float
) -> CustomResourceDefinition:
    return _with(crd, TERMINATING, why, now)


def _with(
    crd: CustomResourceDefinition, type: str, why: tuple[str, str, str], now: float
) -> CustomResourceDefinition:
    status, reason, message = why
    condition = CustomResourceDefinitionCondition(
        type=type,
        status=status,
        reason=reason,
        message=message,
        lastTransitionTime=timestamp(now),
    )
    found = set_condition(crd.status.conditions, condition)
    return replace(crd, status=replace(crd.status, conditions=found))
