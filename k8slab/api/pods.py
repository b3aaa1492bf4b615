"""Questions about Pods that several components ask.

Interface: ``is_pod_ready``, ``is_pod_terminal``, ``is_pod_active``, ``is_pod_available``,
``container_should_restart``, ``matching_restart_rule``, ``all_containers_could_restart``,
``claims_of``.

Upstream: pkg/api/v1/pod/util.go
"""

from collections.abc import Iterator

from k8slab.api.conditions import get_condition, is_true
from k8slab.api.core.container import Container, ContainerRestartRule
from k8slab.api.core.pod import Pod, PodSpec
from k8slab.api.meta import seconds

RESTART_ALL = "RestartAllContainers"  # an action of a restart rule


def is_pod_ready(pod: Pod) -> bool:
    """Say whether the Pod should get traffic: its Ready condition is True."""
    return is_true(pod.status.conditions, "Ready")


def is_pod_terminal(pod: Pod) -> bool:
    """Say whether the Pod has ended for good."""
    return pod.status.phase in ("Succeeded", "Failed")


def is_pod_active(pod: Pod) -> bool:
    """Say whether the Pod counts as a replica: not ended and not being deleted."""
    return not is_pod_terminal(pod) and pod.metadata.deletionTimestamp is None


def is_pod_available(pod: Pod, min_ready_seconds: int, now: float) -> bool:
    """Say whether the Pod has been ready for long enough; ``now`` in virtual seconds."""
    ready = get_condition(pod.status.conditions, "Ready")
    if ready is None or ready.status != "True":
        return False
    if min_ready_seconds == 0:
        return True
    since = ready.lastTransitionTime
    return since is not None and seconds(since) + min_ready_seconds <= now


def matching_restart_rule(container: Container, exit_code: int) -> ContainerRestartRule | None:
    """Return the first restart rule that this exit code matches, None if there is none."""
    for rule in container.restartPolicyRules:
        codes = rule.exitCodes
        if codes is not None and (exit_code in codes.values) == (codes.operator == "In"):
            return rule
    return None


def all_containers_could_restart(spec: PodSpec) -> bool:
    """Say whether a restart rule of the Pod may have all of its containers restarted."""
    containers = (*spec.initContainers, *spec.containers)
    return any(r.action == RESTART_ALL for c in containers for r in c.restartPolicyRules)


def container_should_restart(container: Container, spec: PodSpec, exit_code: int) -> bool:
    """Say whether restart rules and policy want the container again after this exit code."""
    if matching_restart_rule(container, exit_code) is not None:
        return True  # the container alone, or all of its Pod
    policy = container.restartPolicy or spec.restartPolicy or "Always"
    if policy == "Never":
        return False
    return policy == "Always" or exit_code != 0


def claims_of(pod: Pod) -> Iterator[str]:
    """Yield the names of the PersistentVolumeClaims that the Pod uses."""
    for volume in pod.spec.volumes:
        if volume.persistentVolumeClaim is not None:
            yield volume.persistentVolumeClaim.claimName
        elif volume.ephemeral is not None:
            yield f"{pod.metadata.name}-{volume.name}"
