"""Static Pods: manifests on the node's own disk, run without asking any API server.

This is how a control plane starts itself. Each file of /etc/kubernetes/manifests is one Pod: its
name ends with that of the node, its uid is a hash of the file, so a changed file is another Pod.
Nobody defaults these objects but the kubelet.

Rule of use: `read` is pure but for the disk; `MirrorClient` shows the Pods to the API server.

Upstream: pkg/kubelet/config/{common,file}.go, pkg/kubelet/pod/mirror_client.go
"""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from k8slab.api.codec import DecodeError, load, to_json
from k8slab.api.core import (
    Container,
    Node,
    Pod,
    PodSpec,
    Probe,
    ResourceRequirements,
    Toleration,
)
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, OwnerReference, Preconditions, timestamp
from k8slab.client import Client, ConnectionFailed
from k8slab.node.folder import Folder
from k8slab.node.kubelet.images import pull_policy
from k8slab.node.kubelet.pod_manager import (
    CONFIG_HASH,
    CONFIG_MIRROR,
    CONFIG_SEEN,
    CONFIG_SOURCE,
)

CRITICAL_PRIORITY = {"system-node-critical": 2000001000, "system-cluster-critical": 2000000000}
ANY_NO_EXECUTE = Toleration(operator="Exists", effect="NoExecute")


def read(disk: Folder, path: str, node_name: str, now: float) -> tuple[list[Pod], list[str]]:
    """Return the Pods of all manifests below `path`, and what is wrong with the others."""
    pods, problems = [], []
    for name in disk.list(path):
        if not name.endswith((".yaml", ".yml", ".json")):
            continue
        try:
            pods.append(static_pod(str(disk.read(name)), node_name, now))
        except (DecodeError, ValueError) as error:
            problems.append(f'Can\'t process manifest file "/{name}": {error}')
    return pods, problems


def static_pod(manifest: str, node_name: str, now: float) -> Pod:
    """Return the Pod that a manifest describes. Raises DecodeError, ValueError."""
    pod = load(manifest)
    if not isinstance(pod, Pod):
        raise ValueError(f"expected a Pod, found a {pod.kind}")
    digest = hashlib.md5(to_json(pod) + node_name.encode(), usedforsecurity=False).hexdigest()
    annotations = {
        **pod.metadata.annotations,
        CONFIG_HASH: digest,
        CONFIG_SEEN: timestamp(now),
        CONFIG_SOURCE: "file",
    }
    meta = replace(
        pod.metadata,
        name=f"{pod.metadata.name}-{node_name}",
        namespace=pod.metadata.namespace or "default",
        uid=digest,
        annotations=annotations,
    )
    spec = _with_defaults(replace(pod.spec, nodeName=node_name))
    return replace(pod, metadata=meta, spec=spec)


def _with_defaults(spec: PodSpec) -> PodSpec:
    """Set what the API server sets in the Pods that it stores."""
    return replace(
        spec,
        restartPolicy=spec.restartPolicy or "Always",
        dnsPolicy=spec.dnsPolicy or "ClusterFirst",
        schedulerName=spec.schedulerName or "default-scheduler",
        terminationGracePeriodSeconds=(
            30 if spec.terminationGracePeriodSeconds is None else spec.terminationGracePeriodSeconds
        ),
        enableServiceLinks=spec.enableServiceLinks is not False,
        priority=CRITICAL_PRIORITY.get(spec.priorityClassName, spec.priority),
        tolerations=(*spec.tolerations, ANY_NO_EXECUTE),
        containers=tuple(_container(container) for container in spec.containers),
        initContainers=tuple(_container(container) for container in spec.initContainers),
    )


def _container(container: Container) -> Container:
    return replace(
        container,
        imagePullPolicy=pull_policy(container),
        terminationMessagePath=container.terminationMessagePath or "/dev/termination-log",
        terminationMessagePolicy=container.terminationMessagePolicy or "File",
        resources=_resources(container.resources),
        ports=tuple(replace(port, protocol=port.protocol or "TCP") for port in container.ports),
        livenessProbe=_probe(container.livenessProbe),
        readinessProbe=_probe(container.readinessProbe),
        startupProbe=_probe(container.startupProbe),
    )


def _resources(resources: ResourceRequirements) -> ResourceRequirements:
    """A limit alone is a request too."""
    return replace(resources, requests={**resources.limits, **resources.requests})


def _probe(probe: Probe | None) -> Probe | None:
    if probe is None:
        return None
    action = probe.httpGet
    if action is not None:
        action = replace(action, path=action.path or "/", scheme=action.scheme or "HTTP")
    return replace(
        probe,
        httpGet=action,
        timeoutSeconds=probe.timeoutSeconds or 1,
        periodSeconds=probe.periodSeconds or 10,
        successThreshold=probe.successThreshold or 1,
        failureThreshold=probe.failureThreshold or 3,
    )


class MirrorClient:
    """Makes and removes the mirrors of static Pods."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(self, pod: Pod, node: Node) -> bool:
        """Show the static Pod to the API server; False if that has to be tried again."""
        meta = replace(
            pod.metadata,
            uid="",
            annotations={**pod.metadata.annotations, CONFIG_MIRROR: pod.metadata.uid},
            ownerReferences=(
                OwnerReference(
                    apiVersion="v1",
                    kind="Node",
                    name=node.metadata.name,
                    uid=node.metadata.uid,
                    controller=True,
                ),
            ),
        )
        try:
            await self._client.create(replace(pod, metadata=meta))
        except ApiError as error:
            return error.reason == "AlreadyExists"
        except ConnectionFailed:
            return False
        return True

    async def delete(self, mirror: Pod) -> bool:
        """Remove a mirror that mirrors nothing; False if that has to be tried again."""
        meta = mirror.metadata
        options = DeleteOptions(gracePeriodSeconds=0, preconditions=Preconditions(uid=meta.uid))
        try:
            await self._client.delete(Pod, meta.name, meta.namespace, options)
        except ApiError as error:
            return error.reason in ("NotFound", "Conflict")
        except ConnectionFailed:
            return False
        return True
