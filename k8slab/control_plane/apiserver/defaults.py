"""Defaults: what the API server fills in where a manifest is silent.

A manifest says what its author cares about; the stored object says everything. `apply` is pure and
idempotent: applied twice it changes nothing the second time, which is why every write can go
through it.

    >>> from k8slab.api.core import Pod
    >>> apply(Pod()).spec.restartPolicy
    'Always'

Rule of use: to default a kind, add a function and a row to `DEFAULTS`.

Upstream: pkg/apis/core/v1/defaults.go, pkg/apis/apps/v1/defaults.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from k8slab.api.core import PodSecurityContext
from k8slab.api.custom import builtin_kind
from k8slab.api.meta import Object
from k8slab.control_plane.apiserver.custom_resources.naming import defaulted
from k8slab.control_plane.apiserver.custom_resources.reading import with_defaults
from k8slab.control_plane.apiserver.default_autoscaling import horizontal_pod_autoscaler
from k8slab.control_plane.apiserver.default_filling import absent as _absent
from k8slab.control_plane.apiserver.default_filling import fill
from k8slab.control_plane.apiserver.default_policies import (
    ingress_class,
    limit_range,
    network_policy,
    priority_class,
    role_binding,
)
from k8slab.control_plane.apiserver.default_services import endpoint_slice, endpoints, service
from k8slab.control_plane.apiserver.default_volumes import (
    persistent_volume,
    persistent_volume_claim,
    storage_class,
    volume,
)

GRACE = 30  # s, terminationGracePeriodSeconds
MAX_INT32 = 2**31 - 1


def apply(obj: Object) -> Object:
    """Return the object with all defaults of its kind filled in."""
    default = DEFAULTS.get(builtin_kind(obj))
    return obj if default is None else default(obj)


# -- Pods


def pod(obj: Any) -> Any:
    """Default a Pod."""
    spec = pod_spec(obj.spec)
    for container in spec.containers if spec.hostNetwork else ():
        ports = tuple(fill(port, hostPort=port.containerPort) for port in container.ports)
        changed = replace(container, ports=ports)
        spec = replace(
            spec, containers=tuple(changed if c is container else c for c in spec.containers)
        )
    if spec.enableServiceLinks is None:
        spec = replace(spec, enableServiceLinks=True)
    return replace(obj, spec=spec)


def pod_spec(spec: Any) -> Any:
    """Default the spec of a Pod, or of a Pod template."""
    spec = fill(
        spec,
        restartPolicy="Always",
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        securityContext=PodSecurityContext(),
        serviceAccount=spec.serviceAccountName,
    )
    spec = _absent(spec, terminationGracePeriodSeconds=GRACE)
    changes: dict[str, Any] = {"containers": tuple(container(c) for c in spec.containers)}
    if spec.initContainers:
        changes["initContainers"] = tuple(container(c) for c in spec.initContainers)
    if spec.ephemeralContainers:
        changes["ephemeralContainers"] = tuple(container(c) for c in spec.ephemeralContainers)
    if spec.volumes:
        changes["volumes"] = tuple(volume(v) for v in spec.volumes)
    if not spec.serviceAccountName and spec.serviceAccount:
        changes["serviceAccountName"] = spec.serviceAccount
    return replace(spec, **changes)


def container(c: Any) -> Any:
    """Default a container: pull policy by tag, protocols, probes, requests from limits."""
    changes: dict[str, Any] = {}
    if not c.imagePullPolicy:
        changes["imagePullPolicy"] = pull_policy(c.image)
    if c.ports:
        changes["ports"] = tuple(fill(port, protocol="TCP") for port in c.ports)
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        found = getattr(c, name)
        if found is not None:
            changes[name] = probe(found)
    if c.lifecycle is not None:
        changes["lifecycle"] = _lifecycle(c.lifecycle)
    if c.env:
        changes["env"] = tuple(_env(variable) for variable in c.env)
    missing = {k: v for k, v in c.resources.limits.items() if k not in c.resources.requests}
    if missing:
        changes["resources"] = replace(c.resources, requests={**c.resources.requests, **missing})
    c = fill(c, terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File")
    return replace(c, **changes) if changes else c


def pull_policy(image: str) -> str:
    """Return when an image is pulled: a moving tag always, a fixed one if it is not there.

    >>> pull_policy("nginx"), pull_policy("nginx:latest"), pull_policy("nginx:1.27")
    ('Always', 'Always', 'IfNotPresent')
    """
    if "@" in image:
        return "IfNotPresent"
    _, _, tag = image.rpartition("/")[2].partition(":")
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def probe(p: Any) -> Any:
    """Default a probe: every 10 s, 1 s to answer, one success, three failures."""
    p = fill(p, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if p.httpGet is not None:
        p = replace(p, httpGet=_http_get(p.httpGet))
    if p.grpc is not None and p.grpc.service is None:
        p = replace(p, grpc=replace(p.grpc, service=""))
    return p


def _http_get(action: Any) -> Any:
    return fill(action, path="/", scheme="HTTP")


def _lifecycle(lifecycle: Any) -> Any:
    for name in ("postStart", "preStop"):
        hook = getattr(lifecycle, name)
        if hook is not None and hook.httpGet is not None:
            hook = replace(hook, httpGet=_http_get(hook.httpGet))
            lifecycle = replace(lifecycle, **{name: hook})
    return lifecycle


def _env(variable: Any) -> Any:
    source = variable.valueFrom
    if source is None or source.fieldRef is None or source.fieldRef.apiVersion:
        return variable
    field = replace(source.fieldRef, apiVersion="v1")
    return replace(variable, valueFrom=replace(source, fieldRef=field))


# -- workloads


def _template(spec: Any) -> Any:
    template = spec.template
    if template is None:  # a ReplicationController's may be missing
        return spec
    return replace(spec, template=replace(template, spec=pod_spec(template.spec)))


def replica_set(obj: Any) -> Any:
    """Default a ReplicaSet: one replica."""
    return replace(obj, spec=_absent(_template(obj.spec), replicas=1))


def replication_controller(obj: Any) -> Any:
    """Default a ReplicationController: its selector and its labels are those of its Pods."""
    obj = replica_set(obj)
    labels = obj.spec.template.metadata.labels if obj.spec.template is not None else {}
    if not labels:
        return obj
    meta = obj.metadata if obj.metadata.labels else replace(obj.metadata, labels=labels)
    spec = replace(obj.spec, selector=obj.spec.selector or labels)
    return replace(obj, metadata=meta, spec=spec)


def deployment(obj: Any) -> Any:
    """Default a Deployment: one replica, rolling update with 25% surge and 25% unavailable."""
    spec = _template(obj.spec)
    strategy = fill(spec.strategy, type="RollingUpdate")
    if strategy.type == "RollingUpdate":
        from k8slab.api.apps import RollingUpdateDeployment

        rolling = strategy.rollingUpdate or RollingUpdateDeployment()
        rolling = _absent(rolling, maxUnavailable="25%", maxSurge="25%")
        strategy = replace(strategy, rollingUpdate=rolling)
    spec = _absent(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    return replace(obj, spec=replace(spec, strategy=strategy))


def daemon_set(obj: Any) -> Any:
    """Default a DaemonSet: rolling update, one Pod at a time."""
    from k8slab.api.apps import RollingUpdateDaemonSet

    spec = _absent(_template(obj.spec), revisionHistoryLimit=10)
    strategy = fill(spec.updateStrategy, type="RollingUpdate")
    if strategy.type == "RollingUpdate":
        rolling = strategy.rollingUpdate or RollingUpdateDaemonSet()
        rolling = _absent(rolling, maxUnavailable=1, maxSurge=0)
        strategy = replace(strategy, rollingUpdate=rolling)
    return replace(obj, spec=replace(spec, updateStrategy=strategy))


def stateful_set(obj: Any) -> Any:
    """Default a StatefulSet: ordered, rolling update, one replica."""
    from k8slab.api.apps import (
        RollingUpdateStatefulSetStrategy,
        StatefulSetPersistentVolumeClaimRetentionPolicy,
    )

    spec = _absent(_template(obj.spec), replicas=1, revisionHistoryLimit=10)
    spec = fill(spec, podManagementPolicy="OrderedReady")
    strategy = fill(spec.updateStrategy, type="RollingUpdate")
    if strategy.type == "RollingUpdate":
        rolling = strategy.rollingUpdate or RollingUpdateStatefulSetStrategy()
        strategy = replace(strategy, rollingUpdate=_absent(rolling, partition=0))
    retention = spec.persistentVolumeClaimRetentionPolicy
    retention = retention or StatefulSetPersistentVolumeClaimRetentionPolicy()
    retention = fill(retention, whenDeleted="Retain", whenScaled="Retain")
    spec = replace(spec, updateStrategy=strategy, persistentVolumeClaimRetentionPolicy=retention)
    return replace(obj, spec=spec)


# -- the rest


def secret(obj: Any) -> Any:
    """Default a Secret: Opaque, texts encoded into its data."""
    obj = fill(obj, type="Opaque")
    if obj.stringData:
        from base64 import b64encode

        encoded = {k: b64encode(v.encode()).decode() for k, v in obj.stringData.items()}
        obj = replace(obj, data={**obj.data, **encoded}, stringData={})
    return obj


def namespace(obj: Any) -> Any:
    """Label a Namespace with its own name, so that selectors can name it."""
    name = obj.metadata.name
    labels = obj.metadata.labels
    if not name or labels.get("kubernetes.io/metadata.name") == name:
        return obj
    labels = {**labels, "kubernetes.io/metadata.name": name}
    return replace(obj, metadata=replace(obj.metadata, labels=labels))


def node(obj: Any) -> Any:
    """Default a Node: what is not set aside can be used."""
    status = obj.status
    if status.allocatable or not status.capacity:
        return obj
    return replace(obj, status=replace(status, allocatable=dict(status.capacity)))


def job(obj: Any) -> Any:
    """Default a Job: one Pod, six failures, not indexed; see `strategy` for its selector."""
    spec = _work(obj.spec)
    if spec.completions is None and spec.parallelism is None:
        spec = replace(spec, completions=1)
    per_index = spec.backoffLimitPerIndex is not None
    return replace(
        obj,
        spec=_absent(
            spec,
            parallelism=1,
            backoffLimit=MAX_INT32 if per_index else 6,
            completionMode="NonIndexed",
            suspend=False,
            podReplacementPolicy="Failed" if spec.podFailurePolicy else "TerminatingOrFailed",
            manualSelector=False,
        ),
    )


def cron_job(obj: Any) -> Any:
    """Default a CronJob: Jobs may overlap, three successes and one failure are kept."""
    spec = fill(obj.spec, concurrencyPolicy="Allow")
    spec = _absent(spec, suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    inner = replace(spec.jobTemplate, spec=_work(spec.jobTemplate.spec))
    return replace(obj, spec=replace(spec, jobTemplate=inner))


def _work(spec: Any) -> Any:
    """Default what Jobs and templates of Jobs have: Pods, and failures that are looked at."""
    spec, policy = _template(spec), spec.podFailurePolicy
    if policy is None:
        return spec
    rules = tuple(
        replace(rule, onPodConditions=tuple(fill(c, status="True") for c in rule.onPodConditions))
        for rule in policy.rules
    )
    return replace(spec, podFailurePolicy=replace(policy, rules=rules))


DEFAULTS: Mapping[str, Callable[[Any], Any]] = {
    "": with_defaults,
    "CustomResourceDefinition": defaulted,
    "Pod": pod,
    "ReplicaSet": replica_set,
    "ReplicationController": replication_controller,
    "Deployment": deployment,
    "DaemonSet": daemon_set,
    "StatefulSet": stateful_set,
    "Service": service,
    "EndpointSlice": endpoint_slice,
    "Endpoints": endpoints,
    "Secret": secret,
    "Namespace": namespace,
    "Node": node,
    "Job": job,
    "CronJob": cron_job,
    "HorizontalPodAutoscaler": horizontal_pod_autoscaler,
    "NetworkPolicy": network_policy,
    "IngressClass": ingress_class,
    "LimitRange": limit_range,
    "PriorityClass": priority_class,
    "RoleBinding": role_binding,
    "ClusterRoleBinding": role_binding,
    "PersistentVolumeClaim": persistent_volume_claim,
    "PersistentVolume": persistent_volume,
    "StorageClass": storage_class,
}
