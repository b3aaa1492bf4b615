"""As whom a container runs, and whether its Pod allows that.

`runAsNonRoot` is a promise that is checked: against the user that the manifest names, else against
that of the image.

Rule of use: pure; ValueError in upstream's words, which becomes CreateContainerConfigError.

Upstream: pkg/kubelet/kuberuntime/security_context.go, pkg/securitycontext/util.go
"""

from __future__ import annotations

from k8slab.api.core import Container, Pod
from k8slab.node.kubelet.container import format_pod


def run_as_user(pod: Pod, container: Container) -> int | None:
    """Return the user that the manifest names, None if it leaves that to the image."""
    own, of_pod = container.securityContext, pod.spec.securityContext
    if own is not None and own.runAsUser is not None:
        return own.runAsUser
    return of_pod.runAsUser if of_pod is not None else None


def run_as_group(pod: Pod, container: Container) -> int | None:
    """Return the group that the manifest names, None if it names none."""
    own, of_pod = container.securityContext, pod.spec.securityContext
    if own is not None and own.runAsGroup is not None:
        return own.runAsGroup
    return of_pod.runAsGroup if of_pod is not None else None


def supplemental_groups(pod: Pod) -> tuple[int, ...]:
    """Return the groups that the Pod's processes have beside their own: fsGroup is one."""
    context = pod.spec.securityContext
    if context is None:
        return ()
    volumes = () if context.fsGroup is None else (context.fsGroup,)
    return tuple(sorted({*volumes, *context.supplementalGroups}))


def has_read_only_root(container: Container) -> bool:
    """Say whether the container may write to its volumes only."""
    context = container.securityContext
    return context is not None and bool(context.readOnlyRootFilesystem)


def verify_run_as_non_root(pod: Pod, container: Container, image_user: int) -> None:
    """Check that the container will not run as root if it must not."""
    own, of_pod = container.securityContext, pod.spec.securityContext
    wanted = own.runAsNonRoot if own is not None else None
    if wanted is None and of_pod is not None:
        wanted = of_pod.runAsNonRoot
    if not wanted:
        return
    user = run_as_user(pod, container)
    where = f'(pod: "{format_pod(pod)}", container: {container.name})'
    if user == 0:
        raise ValueError(f"container's runAsUser breaks non-root policy {where}")
    if user is None and image_user == 0:
        raise ValueError(f"container has runAsNonRoot and image will run as root {where}")
