"""The node authorizer: a kubelet may read what its node's Pods need, and write what is its own.

All kubelets have the same rules; beyond them, what a kubelet may touch depends on what runs on its
node. A Secret that no Pod of the node mentions is refused, however often it is asked for.

Rule of use: asked before RBAC; it has no opinion about anybody but nodes.

Upstream: plugin/pkg/auth/authorizer/node/node_authorizer.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from k8slab.api import fields
from k8slab.api.core import PersistentVolumeClaim, Pod
from k8slab.api.pods import claims_of
from k8slab.control_plane.apiserver.access.attributes import Attributes
from k8slab.control_plane.apiserver.access.authentication import NODE_PREFIX, NODES
from k8slab.control_plane.apiserver.access.bootstrap_policy import NODE_RULES
from k8slab.control_plane.apiserver.access.rbac import Objects
from k8slab.control_plane.apiserver.access.rules import allows

READ = ("get", "list", "watch")
LEASE_VERBS = ("get", "create", "update", "patch", "delete")
NO_RELATION = "no relationship found between node '{node}' and this object"
Decision = tuple[bool, str]


class NodeAuthorizer:
    """Knows what nodes may do."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._special: dict[tuple[str, str], Callable[[str, Attributes], Decision]] = {
            ("", "secrets"): self._read,
            ("", "configmaps"): self._read,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._get,
            ("", "serviceaccounts"): self._token,
            ("", "nodes"): self._node,
            ("", "pods"): self._pod,
            ("coordination.k8s.io", "leases"): self._lease,
        }

    def authorize(self, asked: Attributes) -> Decision:
        """Say whether a node may do it, and if not, why."""
        node = node_of(asked)
        if not node:
            return False, ""
        special = self._special.get((asked.group, asked.resource))
        if special is not None and not asked.path:
            return special(node, asked)
        return self._by_rules(asked)

    def _by_rules(self, asked: Attributes) -> Decision:
        return any(allows(rule, asked) for rule in NODE_RULES), ""

    def _read(self, node: str, asked: Attributes) -> Decision:
        if asked.verb not in READ:
            return False, "can only read resources of this type"
        if asked.subresource:
            return False, "cannot read subresource"
        if not asked.namespace:
            return False, "can only read namespaced object of this type"
        return self._related(node, asked)

    def _get(self, node: str, asked: Attributes) -> Decision:
        if asked.verb != "get":
            return False, "can only get individual resources of this type"
        if asked.subresource:
            return False, "cannot get subresource"
        return self._related(node, asked)

    def _claim(self, node: str, asked: Attributes) -> Decision:
        if asked.subresource == "status" and asked.verb in ("update", "patch"):
            return self._related(node, asked)
        return self._get(node, asked)

    def _token(self, node: str, asked: Attributes) -> Decision:
        if asked.subresource != "token":
            return self._get(node, asked)
        if asked.verb != "create":
            return False, "can only create tokens for individual service accounts"
        return self._related(node, asked)

    def _node(self, node: str, asked: Attributes) -> Decision:
        if asked.verb in READ and asked.name != node:
            return False, f"node '{node}' cannot read '{asked.name}', only its own Node object"
        return self._by_rules(asked)

    def _pod(self, node: str, asked: Attributes) -> Decision:
        if asked.verb == "get" and not asked.subresource:
            return self._related(node, asked)
        if asked.verb in ("list", "watch") and not self._is_of(node, asked):
            return False, "can only list/watch pods with spec.nodeName field selector"
        return self._by_rules(asked)

    @staticmethod
    def _is_of(node: str, asked: Attributes) -> bool:
        try:
            return fields.parse(asked.field_selector).exact("spec.nodeName") == node
        except ValueError:
            return False

    def _lease(self, node: str, asked: Attributes) -> Decision:
        if asked.verb not in LEASE_VERBS:
            return False, "can only get, create, update, patch, or delete a node lease"
        if asked.namespace != "kube-node-lease":
            return False, 'can only access leases in the "kube-node-lease" system namespace'
        if asked.verb != "create" and asked.name != node:
            return False, "can only access node lease with the same name as the requesting node"
        return True, ""

    def _related(self, node: str, asked: Attributes) -> Decision:
        """Say whether a Pod of the node needs the object."""
        if not asked.name:
            return False, "No Object name found"
        named = (asked.resource, asked.namespace, asked.name)
        for pod in self._objects.all(Pod, asked.namespace):
            assert isinstance(pod, Pod)
            if pod.spec.nodeName == node and named in self._needs(pod):
                return True, ""
        return False, NO_RELATION.format(node=node)

    def _needs(self, pod: Pod) -> Iterator[tuple[str, str, str]]:
        """Yield (resource, namespace, name) of all that a Pod mentions, and the Pod itself."""
        namespace = pod.metadata.namespace
        yield "pods", namespace, pod.metadata.name
        yield "serviceaccounts", namespace, pod.spec.serviceAccountName
        for resource, name in mentioned(pod):
            yield resource, namespace, name
            if resource == "persistentvolumeclaims":
                claim: Any = self._objects.get(PersistentVolumeClaim, name, namespace)
                if claim is not None and claim.spec.volumeName:
                    yield "persistentvolumes", "", claim.spec.volumeName


def node_of(asked: Attributes) -> str:
    """Return the name of the node that asks, "" if it is none."""
    user = asked.user
    if NODES not in user.groups or not user.username.startswith(NODE_PREFIX):
        return ""
    return user.username.removeprefix(NODE_PREFIX)


def mentioned(pod: Pod) -> Iterator[tuple[str, str]]:
    """Yield (resource, name) of the Secrets, ConfigMaps and claims that a Pod names."""
    spec = pod.spec
    for reference in spec.imagePullSecrets:
        yield "secrets", reference.name
    for container in (*spec.initContainers, *spec.containers, *spec.ephemeralContainers):
        for many in container.envFrom:
            if many.secretRef is not None:
                yield "secrets", many.secretRef.name
            if many.configMapRef is not None:
                yield "configmaps", many.configMapRef.name
        for variable in container.env:
            source = variable.valueFrom
            if source is not None and source.secretKeyRef is not None:
                yield "secrets", source.secretKeyRef.name
            if source is not None and source.configMapKeyRef is not None:
                yield "configmaps", source.configMapKeyRef.name
    for name in claims_of(pod):
        yield "persistentvolumeclaims", name
    for volume in spec.volumes:
        if volume.secret is not None:
            yield "secrets", volume.secret.secretName
        if volume.configMap is not None:
            yield "configmaps", volume.configMap.name
        for part in volume.projected.sources if volume.projected is not None else ():
            if part.secret is not None:
                yield "secrets", part.secret.name
            if part.configMap is not None:
                yield "configmaps", part.configMap.name
