"""Admission: the last word on a write before it is checked and stored.

Each plugin is a function that returns the object, changed or not, or refuses it with an ApiError.
They run in the order of the table, only on creation. What they need to know of the cluster they
read through `look_up`, the API server's own cache. `admit_deletion` has the say on deletions.

Rule of use: to add a plugin, add a function and a row to `PLUGINS`.

Upstream: plugin/pkg/admission
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from msgspec.structs import replace

from k8slab.api import errors
from k8slab.api.batch import CronJob
from k8slab.api.core import (
    ConfigMapProjection,
    DownwardAPIProjection,
    DownwardAPIVolumeFile,
    KeyToPath,
    LimitRange,
    Namespace,
    Node,
    ObjectFieldSelector,
    PersistentVolumeClaim,
    Pod,
    PodSpec,
    PodTemplateSpec,
    ProjectedVolumeSource,
    ServiceAccount,
    ServiceAccountTokenProjection,
    Taint,
    Toleration,
    Volume,
    VolumeMount,
    VolumeProjection,
)
from k8slab.api.meta import Object
from k8slab.api.node import RuntimeClass
from k8slab.api.scheduling import PriorityClass
from k8slab.api.scheme import Resource, resource_for
from k8slab.api.storage import StorageClass
from k8slab.control_plane.apiserver import limit_ranger as limits
from k8slab.control_plane.apiserver import pod_security as security
from k8slab.control_plane.apiserver import runtime_class as runtime_classes

TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_EXPIRATION = 3607  # s, serviceaccount admission
TOLERATION_SECONDS = 300  # --default-not-ready-toleration-seconds, and -unreachable-
NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
BETA_STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class"
IS_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
PROTECTION = {
    "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "PersistentVolume": "kubernetes.io/pv-protection",
}
IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


class LookUp(Protocol):
    """How a plugin asks for another object."""

    def __call__(self, kind: type[Object], name: str, namespace: str = "") -> Object | None:
        """Return the object, None if there is none."""

    def all(self, kind: type[Object], namespace: str = "") -> Iterable[Object]:
        """Return all objects of a kind, in one namespace or in all."""


class Context:
    """What a plugin is told beside the object."""

    def __init__(
        self,
        resource: Resource,
        look_up: LookUp,
        suffix: Callable[[], str],
        warn: Callable[[str], None],
    ) -> None:
        self.resource = resource
        self.look_up = look_up
        self.suffix = suffix  # a random suffix for generated names
        self.warn = warn  # tells whoever asked


def admit(obj: Object, context: Context) -> Object:
    """Return the object as all plugins want it; raises ApiError if one refuses it."""
    for plugin in PLUGINS:
        obj = plugin(obj, context)
    return obj


def admit_deletion(resource: Resource, name: str) -> None:
    """Refuse to delete the namespaces that a cluster cannot be without."""
    if resource.kind == "Namespace" and name in IMMORTAL:
        raise errors.forbidden(resource, name, "this namespace may not be deleted")


def namespace_lifecycle(obj: Object, context: Context) -> Object:
    """Refuse objects for namespaces that do not exist or are on their way out."""
    if not context.resource.namespaced:
        return obj
    name = obj.metadata.namespace
    namespace = context.look_up(Namespace, name)
    if namespace is None:
        raise errors.not_found(resource_for(Namespace), name)
    if namespace.metadata.deletionTimestamp is not None:
        raise errors.namespace_terminating(context.resource, obj.metadata.name, name)
    return obj


def taint_nodes_by_condition(obj: Object, context: Context) -> Object:
    """Keep Pods off a new node until its controller has seen it ready."""
    if not isinstance(obj, Node) or any(taint.key == NOT_READY for taint in obj.spec.taints):
        return obj
    taint = Taint(key=NOT_READY, effect="NoSchedule")
    return replace(obj, spec=replace(obj.spec, taints=(*obj.spec.taints, taint)))


def service_account(obj: Object, context: Context) -> Object:
    """Give the Pod its identity: an account and a token in a volume."""
    if not isinstance(obj, Pod) or "kubernetes.io/config.mirror" in obj.metadata.annotations:
        return obj
    name = obj.spec.serviceAccountName or "default"
    account = context.look_up(ServiceAccount, name, obj.metadata.namespace)
    if not isinstance(account, ServiceAccount):
        raise errors.forbidden(
            context.resource,
            obj.metadata.name or obj.metadata.generateName,
            f"error looking up service account {obj.metadata.namespace}/{name}: "
            f'serviceaccount "{name}" not found',
        )
    spec = replace(obj.spec, serviceAccountName=name, serviceAccount=name)
    if account.imagePullSecrets and not spec.imagePullSecrets:
        spec = replace(spec, imagePullSecrets=account.imagePullSecrets)
    obj = replace(obj, spec=spec)
    wants_token = spec.automountServiceAccountToken
    if wants_token is None:
        wants_token = account.automountServiceAccountToken
    return obj if wants_token is False else _mount_token(obj, context)


def _mount_token(pod: Pod, context: Context) -> Pod:
    volume = f"kube-api-access-{context.suffix()}"
    mount = VolumeMount(name=volume, mountPath=TOKEN_MOUNT, readOnly=True)
    used = False

    def mounted(containers: tuple[object, ...]) -> tuple[object, ...]:
        nonlocal used
        result = []
        for container in containers:
            mounts = container.volumeMounts  # type: ignore[attr-defined]
            if not any(m.mountPath == TOKEN_MOUNT for m in mounts):
                used = True
                container = replace(container, volumeMounts=(*mounts, mount))  # type: ignore[type-var]
            result.append(container)
        return tuple(result)

    spec = replace(
        pod.spec,
        containers=mounted(pod.spec.containers),
        initContainers=mounted(pod.spec.initContainers),
    )
    if not used:
        return pod
    return replace(pod, spec=replace(spec, volumes=(*spec.volumes, _token_volume(volume))))


def _token_volume(name: str) -> Volume:
    root_ca = ConfigMapProjection(
        name="kube-root-ca.crt", items=(KeyToPath(key="ca.crt", path="ca.crt"),)
    )
    field = ObjectFieldSelector(apiVersion="v1", fieldPath="metadata.namespace")
    namespace = DownwardAPIProjection(
        items=(DownwardAPIVolumeFile(path="namespace", fieldRef=field),)
    )
    token = ServiceAccountTokenProjection(path="token", expirationSeconds=TOKEN_EXPIRATION)
    sources = (
        VolumeProjection(serviceAccountToken=token),
        VolumeProjection(configMap=root_ca),
        VolumeProjection(downwardAPI=namespace),
    )
    return Volume(name=name, projected=ProjectedVolumeSource(sources=sources, defaultMode=0o644))


def priority(obj: Object, context: Context) -> Object:
    """Turn a priority class into a number."""
    if not isinstance(obj, Pod):
        return obj
    name = obj.spec.priorityClassName
    if not name:
        return replace(
            obj, spec=replace(obj.spec, priority=0, preemptionPolicy="PreemptLowerPriority")
        )
    found = context.look_up(PriorityClass, name)
    if not isinstance(found, PriorityClass):
        raise errors.forbidden(
            context.resource,
            obj.metadata.name or obj.metadata.generateName,
            f"no PriorityClass with name {name} was found",
        )
    policy = found.preemptionPolicy or "PreemptLowerPriority"
    return replace(obj, spec=replace(obj.spec, priority=found.value, preemptionPolicy=policy))


def default_toleration_seconds(obj: Object, context: Context) -> Object:
    """Let every Pod stay five minutes on a node that is not ready or not to be reached."""
    if not isinstance(obj, Pod):
        return obj
    tolerations = obj.spec.tolerations
    for key in (NOT_READY, UNREACHABLE):
        if not any(_covers(toleration, key) for toleration in obj.spec.tolerations):
            tolerations += (
                Toleration(
                    key=key,
                    operator="Exists",
                    effect="NoExecute",
                    tolerationSeconds=TOLERATION_SECONDS,
                ),
            )
    return replace(obj, spec=replace(obj.spec, tolerations=tolerations))


def _covers(toleration: Toleration, key: str) -> bool:
    return toleration.key in (key, "") and toleration.effect in ("NoExecute", "")


def default_storage_class(obj: Object, context: Context) -> Object:
    """Give a claim that names no class the default one, the newest if there are several."""
    if not isinstance(obj, PersistentVolumeClaim) or obj.spec.storageClassName is not None:
        return obj
    if BETA_STORAGE_CLASS in obj.metadata.annotations:
        return obj
    default = default_class(context.look_up.all(StorageClass))
    if default is None:
        return obj
    return replace(obj, spec=replace(obj.spec, storageClassName=default.metadata.name))


def default_class(classes: Iterable[Object]) -> Object | None:
    """Return the default class: the newest that says so, of equally new ones the first by name."""
    marked = [
        each
        for each in sorted(classes, key=lambda each: each.metadata.name)
        if any(each.metadata.annotations.get(key) == "true" for key in IS_DEFAULT_CLASS)
    ]
    return max(marked, key=lambda each: each.metadata.creationTimestamp, default=None)


def storage_object_in_use_protection(obj: Object, context: Context) -> Object:
    """Mark a claim or volume so that it stays while it is in use."""
    finalizer = PROTECTION.get(obj.kind) if resource_for(obj).group == "" else None
    if finalizer is None or finalizer in obj.metadata.finalizers:
        return obj
    finalizers = (*obj.metadata.finalizers, finalizer)
    return replace(obj, metadata=replace(obj.metadata, finalizers=finalizers))


def limit_ranger(obj: Object, context: Context) -> Object:
    """Fill in the defaults of the namespace's LimitRanges, and hold the object to their bounds."""
    if not isinstance(obj, Pod | PersistentVolumeClaim):
        return obj
    known = [
        each
        for each in context.look_up.all(LimitRange, obj.metadata.namespace)
        if isinstance(each, LimitRange)
    ]
    for each in known:
        if isinstance(obj, Pod):
            obj = limits.with_defaults(obj, each)
    wrong = [text for each in known for text in limits.broken(obj, each)]
    if wrong:
        texts = list(dict.fromkeys(wrong))
        why = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        name = obj.metadata.name or obj.metadata.generateName
        raise errors.forbidden(context.resource, name, why)
    return obj


def pod_security(obj: Object, context: Context) -> Object:
    """Refuse Pods that break the level of their namespace, and warn as it wants."""
    if not context.resource.namespaced:
        return obj
    namespace = context.look_up(Namespace, obj.metadata.namespace)
    marked = namespace.metadata.labels if namespace is not None else {}
    if not any(key.startswith(security.PREFIX) for key in marked):
        return obj
    spec = obj.spec if isinstance(obj, Pod) else _template_of(obj)
    if spec is None:
        return obj
    for mode in ("enforce", "warn"):
        level = marked.get(f"{security.PREFIX}{mode}", "privileged")
        version = marked.get(f"{security.PREFIX}{mode}-version", "latest")
        if level not in security.LEVELS:
            continue
        text = security.sentence(level, version, spec)
        if text and mode == "enforce" and isinstance(obj, Pod):
            name = obj.metadata.name or obj.metadata.generateName
            raise errors.forbidden(context.resource, name, text)
        if text and mode == "warn":
            context.warn(f"would {text.replace('violates', 'violate', 1)}")
    return obj


def runtime_class(obj: Object, context: Context) -> Object:
    """Give the Pod the overhead of the RuntimeClass that it names, and send it where that is."""
    if not isinstance(obj, Pod):
        return obj
    name = obj.spec.runtimeClassName
    found = context.look_up(RuntimeClass, name) if name else None
    try:
        if name and not isinstance(found, RuntimeClass):
            raise ValueError(f'pod rejected: RuntimeClass "{name}" not found')
        return runtime_classes.with_class(obj, found if isinstance(found, RuntimeClass) else None)
    except ValueError as error:
        pod = obj.metadata.name or obj.metadata.generateName
        raise errors.forbidden(context.resource, pod, str(error)) from None


def _template_of(obj: Any) -> PodSpec | None:
    """Return the Pods that a workload would make, None if it is none."""
    if isinstance(obj, CronJob):
        return obj.spec.jobTemplate.spec.template.spec
    spec = getattr(obj, "spec", None)
    template = getattr(obj, "template", None) or getattr(spec, "template", None)
    return template.spec if isinstance(template, PodTemplateSpec) else None


PLUGINS: tuple[Callable[[Object, Context], Object], ...] = (
    namespace_lifecycle,
    taint_nodes_by_condition,
    service_account,
    priority,
    default_toleration_seconds,
    limit_ranger,
    default_storage_class,
    pod_security,
    storage_object_in_use_protection,
    runtime_class,
)
