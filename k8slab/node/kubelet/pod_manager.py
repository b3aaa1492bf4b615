"""The Pods of this node: those of the API server, and static ones with their mirrors.

A static Pod comes from a file and is known by a uid made from it; the API server shows a mirror
of it, which has a uid of its own and can be read but not steered.

Rule of use: everything in the kubelet goes by the uid that the kubelet runs the Pod under.

Upstream: pkg/kubelet/pod/pod_manager.go
"""

from __future__ import annotations

from k8slab.api.core import Pod

CONFIG_MIRROR = "kubernetes.io/config.mirror"
CONFIG_HASH = "kubernetes.io/config.hash"
CONFIG_SOURCE = "kubernetes.io/config.source"
CONFIG_SEEN = "kubernetes.io/config.seen"


def is_mirror_pod(pod: Pod) -> bool:
    """Say whether the object only mirrors a static Pod."""
    return CONFIG_MIRROR in pod.metadata.annotations


def is_static_pod(pod: Pod) -> bool:
    """Say whether the Pod comes from a file of the node."""
    annotations = pod.metadata.annotations
    return CONFIG_SOURCE in annotations and CONFIG_MIRROR not in annotations


def full_name(pod: Pod) -> str:
    """Return namespace/name, by which a static Pod and its mirror find one another."""
    return f"{pod.metadata.namespace}/{pod.metadata.name}"


def asks_for_work(old: Pod, new: Pod) -> bool:
    """Say whether the change is more than the echo of our own status."""
    if old.spec is not new.spec and old.spec != new.spec:
        return True
    before, after = old.metadata, new.metadata
    return (
        before.deletionTimestamp != after.deletionTimestamp
        or before.deletionGracePeriodSeconds != after.deletionGracePeriodSeconds
        or before.labels != after.labels
        or before.annotations != after.annotations
    )


class PodManager:
    """Pods by uid, mirrors by full name."""

    def __init__(self) -> None:
        self._pods: dict[str, Pod] = {}
        self._mirrors: dict[str, Pod] = {}

    def set(self, pod: Pod) -> None:
        """Note the newest version of a Pod or mirror."""
        if is_mirror_pod(pod):
            self._mirrors[full_name(pod)] = pod
        else:
            self._pods[pod.metadata.uid] = pod

    def remove(self, pod: Pod) -> None:
        """Drop it."""
        if not is_mirror_pod(pod):
            self._pods.pop(pod.metadata.uid, None)
        elif self.mirror_of(pod) is not None:
            del self._mirrors[full_name(pod)]

    def get(self, uid: str) -> Pod | None:
        """Return the Pod that the kubelet runs under the uid."""
        return self._pods.get(uid)

    def pods(self) -> list[Pod]:
        """Return all Pods without mirrors."""
        return list(self._pods.values())

    def mirrors(self) -> list[Pod]:
        """Return all mirrors."""
        return list(self._mirrors.values())

    def by_name(self, namespace: str, name: str) -> Pod | None:
        """Return the Pod of that name that was heard of last."""
        found = [p for p in self._pods.values() if full_name(p) == f"{namespace}/{name}"]
        return found[-1] if found else None

    def static_pod_of(self, mirror: Pod) -> Pod | None:
        """Return the static Pod that a mirror stands for."""
        found = self.by_name(mirror.metadata.namespace, mirror.metadata.name)
        return found if found is not None and is_static_pod(found) else None

    def mirror_of(self, pod: Pod) -> Pod | None:
        """Return the mirror of a static Pod."""
        return self._mirrors.get(full_name(pod))

    def api_pod(self, uid: str) -> Pod | None:
        """Return the API's object for a uid of ours."""
        pod = self._pods.get(uid)
        if pod is None or not is_static_pod(pod):
            return pod
        mirror = self.mirror_of(pod)
        if mirror is None or mirror.metadata.annotations.get(CONFIG_MIRROR) != uid:
            return None
        return mirror
