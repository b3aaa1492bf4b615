"""`kubectl rollout status`: wait until all Pods of a workload have the present template.

Each state is one sentence, printed at each change of the object:

    Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...
    deployment "web" successfully rolled out

Rule of use: the sentences are pure functions of the object; the command only watches and prints.

Upstream: staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from k8slab.api.apps import DaemonSet, Deployment, StatefulSet
from k8slab.api.conditions import get_condition
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, Found
from k8slab.kubectl.targets import targets
from k8slab.kubectl.watching import changes

State = tuple[str, bool]  # the sentence, and whether the rollout is complete
FOREVER = 365 * 24 * 3600.0  # s, without --timeout


async def status(call: Invocation) -> None:
    """Wait for the rollout of each workload."""
    if not call.words and not call.flags.all("filename"):
        raise CommandError("required resource not specified")
    found, errors = await targets(call)
    if errors:
        raise errors[0]
    for target in found:
        await _status(call, target)


async def _status(call: Invocation, target: Found) -> None:
    state_of = STATES.get(target.resource.kind)
    if state_of is None:
        kind = f"{target.resource.kind}.{target.resource.group}".rstrip(".")
        raise CommandError(f"no status viewer has been implemented for {kind}")
    wanted = call.flags.number("revision")
    until = call.now + (call.flags.seconds("timeout") or FOREVER)
    scope = {"namespace": target.namespace, "field_selector": f"metadata.name={target.name}"}
    while True:
        listing = await call.request("list", target.resource, **scope)
        for obj in listing.items:
            if _say(call, state_of(obj, wanted)) or not call.flags.on("watch"):
                return
        version = listing.resource_version
        async for event in changes(call, target.resource, scope, version, until):
            if event.type == "DELETED":
                raise CommandError("object has been deleted")
            if _say(call, state_of(event.object, wanted)):
                return
        if call.now >= until:
            raise CommandError("timed out waiting for the condition")


def _say(call: Invocation, state: State) -> bool:
    """Print the sentence, at each change of the object, and say whether that was the end."""
    sentence, done = state
    call.print(sentence)
    return done


def deployment_state(deployment: Deployment, revision: int = 0) -> State:
    """Return how far a Deployment has come; CommandError if it has given up."""
    name, spec, now = deployment.metadata.name, deployment.spec, deployment.status
    if revision:
        found = int(deployment.metadata.annotations.get("deployment.kubernetes.io/revision", "0"))
        if found != revision:
            raise CommandError(
                f"desired revision ({revision}) is different from the running revision ({found})"
            )
    if deployment.metadata.generation > now.observedGeneration:
        return "Waiting for deployment spec update to be observed...", False
    progressing = get_condition(now.conditions, "Progressing")
    if progressing is not None and progressing.reason == "ProgressDeadlineExceeded":
        raise CommandError(f'deployment "{name}" exceeded its progress deadline')
    wait = f'Waiting for deployment "{name}" rollout to finish:'
    wanted = spec.replicas
    if wanted is not None and now.updatedReplicas < wanted:
        news = f"{now.updatedReplicas} out of {wanted} new replicas have been updated..."
        return f"{wait} {news}", False
    if now.replicas > now.updatedReplicas:
        old = now.replicas - now.updatedReplicas
        return f"{wait} {old} old replicas are pending termination...", False
    if now.availableReplicas < now.updatedReplicas:
        ready = (
            f"{now.availableReplicas} of {now.updatedReplicas} updated replicas are available..."
        )
        return f"{wait} {ready}", False
    return f'deployment "{name}" successfully rolled out', True


def daemon_set_state(daemon_set: DaemonSet, revision: int = 0) -> State:
    """Return how far a DaemonSet has come."""
    name, now = daemon_set.metadata.name, daemon_set.status
    if daemon_set.spec.updateStrategy.type != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    if daemon_set.metadata.generation > now.observedGeneration:
        return "Waiting for daemon set spec update to be observed...", False
    wait, wanted = f'Waiting for daemon set "{name}" rollout to finish:', now.desiredNumberScheduled
    if now.updatedNumberScheduled < wanted:
        new = f"{now.updatedNumberScheduled} out of {wanted} new pods have been updated..."
        return f"{wait} {new}", False
    if now.numberAvailable < wanted:
        ready = f"{now.numberAvailable} of {wanted} updated pods are available..."
        return f"{wait} {ready}", False
    return f'daemon set "{name}" successfully rolled out', True


def stateful_set_state(sts: StatefulSet, revision: int = 0) -> State:
    """Return how far a StatefulSet has come."""
    now, strategy = sts.status, sts.spec.updateStrategy
    if strategy.type != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    if now.observedGeneration == 0 or sts.metadata.generation > now.observedGeneration:
        return "Waiting for statefulset spec update to be observed...", False
    wanted = sts.spec.replicas
    if wanted is not None and now.readyReplicas < wanted:
        return f"Waiting for {wanted - now.readyReplicas} pods to be ready...", False
    partition = strategy.rollingUpdate.partition if strategy.rollingUpdate is not None else None
    if wanted is not None and partition is not None:
        if now.updatedReplicas < wanted - partition:
            left = (
                f"{now.updatedReplicas} out of {wanted - partition} new pods have been updated..."
            )
            return f"Waiting for partitioned roll out to finish: {left}", False
        return (
            f"partitioned roll out complete: {now.updatedReplicas} new pods have been updated...",
            True,
        )
    if now.updateRevision != now.currentRevision:
        news = f"{now.updatedReplicas} pods at revision {now.updateRevision}..."
        return f"waiting for statefulset rolling update to complete {news}", False
    pods = f"{now.currentReplicas} pods at revision {now.currentRevision}..."
    return f"statefulset rolling update complete {pods}", True


STATES: Mapping[str, Callable[[Any, int], State]] = {
    "Deployment": deployment_state,
    "DaemonSet": daemon_set_state,
    "StatefulSet": stateful_set_state,
}
STATUS = Command(
    status,
    (
        *FILES,
        *SELECTORS,
        Flag("revision", kind="int", default="0"),
        Flag("timeout", kind="duration", default="0s"),
        flag_on("watch", "w", default="true"),
    ),
)
