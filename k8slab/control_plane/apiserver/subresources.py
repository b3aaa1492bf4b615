"""The parts of an object that are used on their own: binding, scale, eviction, finalize, proxy.

A binding puts a Pod on a node, once; scale is the one number that autoscalers and `kubectl scale`
need of any workload; an eviction is a delete that respects budgets; finalize is how a Namespace
controller says that a Namespace is empty.

Rule of use: one function per subresource, listed in `SUBRESOURCES`; status is not here, since it is
an ordinary update.

Upstream: pkg/registry/core/pod/storage/{storage,eviction}.go, pkg/registry/apps/*/storage
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from k8slab.api import codec, errors, labels
from k8slab.api.autoscaling import Scale, ScaleSpec, ScaleStatus
from k8slab.api.conditions import set_condition
from k8slab.api.core import Binding, Namespace, Node, Pod, PodCondition
from k8slab.api.custom import Custom
from k8slab.api.meta import DeleteOptions, Object, ObjectMeta, Status, timestamp
from k8slab.client import Request, patch
from k8slab.control_plane.apiserver import eviction
from k8slab.control_plane.apiserver.cacher import Filter
from k8slab.control_plane.apiserver.custom_resources import scaling
from k8slab.control_plane.apiserver.proxy import proxy
from k8slab.control_plane.apiserver.registry import Registry
from k8slab.control_plane.apiserver.token_request import create_token

if TYPE_CHECKING:
    from k8slab.control_plane.apiserver.server import APIServer

TOPOLOGY_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def bind(server: APIServer, registry: Registry, request: Request) -> Status:
    """Assign the Pod to the node that the Binding names."""
    binding = _body(request, Binding)
    if not binding.target.name:
        raise errors.unknown(str(errors.required("target.name")))
    node = server.look_up(Node, binding.target.name)

    def assign(pod: Pod) -> Pod:
        return _assigned(registry, pod, binding, node, server.now)

    registry.modify(request.namespace, request.name, assign, request)
    return Status(status="Success", code=201)


def _assigned(
    registry: Registry, pod: Pod, binding: Binding, node: Object | None, now: float
) -> Pod:
    meta, name = pod.metadata, pod.metadata.name
    if binding.metadata.uid and binding.metadata.uid != meta.uid:
        why = (
            f"Precondition failed: UID in precondition: {binding.metadata.uid}, "
            f"UID in object meta: {meta.uid}"
        )
        raise errors.conflict(registry.resource, name, why)
    if meta.deletionTimestamp is not None:
        why = f"pod {name} is being deleted, cannot be assigned to a host"
        raise errors.conflict(registry.resource, name, why)
    if pod.spec.nodeName:
        why = f'pod {name} is already assigned to node "{pod.spec.nodeName}"'
        raise errors.conflict(registry.resource, name, why)
    if pod.spec.schedulingGates:
        why = f"pod {name} has non-empty .spec.schedulingGates"
        raise errors.conflict(registry.resource, name, why)
    where = {}
    if node is not None:
        of_node = node.metadata.labels
        where = {key: of_node[key] for key in TOPOLOGY_LABELS if key in of_node}
    scheduled = PodCondition(type="PodScheduled", status="True", lastTransitionTime=timestamp(now))
    conditions = set_condition(pod.status.conditions, scheduled)
    return replace(
        pod,
        metadata=replace(
            meta,
            labels={**meta.labels, **where},
            annotations={**meta.annotations, **binding.metadata.annotations},
        ),
        spec=replace(pod.spec, nodeName=binding.target.name),
        # A nomination is a hint for the time before; now there is a fact.
        status=replace(pod.status, conditions=conditions, nominatedNodeName=""),
    )


def scale(server: APIServer, registry: Registry, request: Request) -> Scale:
    """Return or change the number of replicas."""
    try:
        current = registry.get(request)
    except errors.ApiError as error:
        if error.reason != "NotFound" or registry.resource.is_custom:
            raise
        resource = registry.resource
        part = replace(resource, plural=f"{resource.plural}/scale")
        # The core group's scale counts as one of autoscaling, for whatever reason.
        raise errors.not_found(
            part if resource.group else replace(part, group="autoscaling"), request.name
        ) from None
    if request.verb == "get":
        return scale_of(current)
    if request.verb == "patch":
        document = patch.apply(codec.to_dict(scale_of(current)), request.body, request.patch_type)
        wanted = _decoded(document, Scale)
    else:
        wanted = _body(request, Scale)
    version = wanted.metadata.resourceVersion
    if version and version != current.metadata.resourceVersion:
        raise errors.conflict(registry.resource, request.name)
    if wanted.spec.replicas < 0:
        found = errors.invalid_value(
            "spec.replicas", wanted.spec.replicas, "must be greater than or equal to 0"
        )
        raise errors.invalid("Scale", request.name, [found], "autoscaling")

    def change(obj: Any) -> Object:
        if isinstance(obj, Custom):
            return scaling.with_replicas(obj, wanted.spec.replicas)
        if obj.spec.replicas == wanted.spec.replicas:
            return obj  # type: ignore[no-any-return]
        meta = replace(obj.metadata, generation=obj.metadata.generation + 1)
        spec = replace(obj.spec, replicas=wanted.spec.replicas)
        return replace(obj, metadata=meta, spec=spec)  # type: ignore[no-any-return]

    return scale_of(registry.modify(request.namespace, request.name, change, request))


def scale_of(obj: Any) -> Scale:
    """Return the scale of a workload.

    >>> from k8slab.api.apps import Deployment
    >>> scale_of(Deployment()).spec.replicas
    0
    """
    meta = obj.metadata
    if isinstance(obj, Custom):
        return replace(scaling.scale_of(obj), metadata=_named_as(meta))
    selector = obj.spec.selector
    if isinstance(selector, Mapping):  # a ReplicationController's
        text = str(labels.from_labels(selector))
    else:
        text = str(labels.from_label_selector(selector)) if selector is not None else ""
    return Scale(
        metadata=_named_as(meta),
        spec=ScaleSpec(replicas=obj.spec.replicas or 0),
        status=ScaleStatus(replicas=obj.status.replicas, selector=text),
    )


def _named_as(meta: ObjectMeta) -> ObjectMeta:
    """Return what a scale has of its object's metadata."""
    return ObjectMeta(
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        resourceVersion=meta.resourceVersion,
        creationTimestamp=meta.creationTimestamp,
    )


def evict(server: APIServer, registry: Registry, request: Request) -> Status:
    """Delete the Pod, if its budgets allow, marked as disrupted and with the grace asked for."""
    body = request.body
    options = getattr(body, "deleteOptions", None)
    named = getattr(getattr(body, "metadata", None), "name", "")
    if isinstance(body, dict):
        options = _decoded(body.get("deleteOptions") or {}, DeleteOptions)
        named = _decoded(body.get("metadata") or {}, ObjectMeta).name
    if named and named != request.name:
        raise errors.bad_request("name in URL does not match name in Eviction object")

    budgets = server.registries["policy", "poddisruptionbudgets"]
    known: Any = list(budgets.cache.list(Filter(request.namespace, None, None)))
    pod: Any = registry.get(replace(request, resource_version=""))
    payer = eviction.check(pod, known)
    if payer is not None:
        budgets.modify(
            request.namespace,
            payer.metadata.name,
            lambda budget: eviction.spend(budget, request.name, server.now),
            request,
        )

    def mark(pod: Pod) -> Pod:
        disrupted = PodCondition(
            type="DisruptionTarget",
            status="True",
            reason="EvictionByEvictionAPI",
            message="Eviction API: evicting",
            lastTransitionTime=timestamp(server.now),
        )
        conditions = set_condition(pod.status.conditions, disrupted)
        return replace(pod, status=replace(pod.status, conditions=conditions))

    registry.modify(request.namespace, request.name, mark, request)
    registry.delete(replace(request, body=options))
    return Status(status="Success", code=201)


def finalize(server: APIServer, registry: Registry, request: Request) -> Object:
    """Replace the finalizers in a Namespace's spec."""
    wanted = _body(request, Namespace)

    def change(namespace: Namespace) -> Namespace:
        spec = replace(namespace.spec, finalizers=wanted.spec.finalizers)
        return replace(namespace, spec=spec)

    return registry.modify(request.namespace, request.name, change, request)


def _body(request: Request, kind: Any) -> Any:
    body = request.body
    return body if isinstance(body, kind) else _decoded(body, kind)


def _decoded(data: Any, kind: Any) -> Any:
    try:
        return codec.convert(data, kind)
    except codec.DecodeError as error:
        raise errors.bad_request(error.upstream) from None


def handler_of(registry: Registry, name: str) -> Handler | None:
    """Return what answers for a subresource of a kind, None if there is none."""
    resource = registry.resource
    if not resource.is_custom:
        return SUBRESOURCES.get((resource.plural, name))
    type_: Any = resource.type
    return scale if name == "scale" and type_.__definition__.scale is not None else None


Handler = Callable[[Any, Registry, Request], Any]
SCALABLE = ("deployments", "replicasets", "statefulsets", "replicationcontrollers")
SUBRESOURCES: dict[tuple[str, str], Handler] = {
    ("pods", "binding"): bind,
    ("pods", "eviction"): evict,
    ("namespaces", "finalize"): finalize,
    ("serviceaccounts", "token"): create_token,
    **{(plural, "scale"): scale for plural in SCALABLE},
    **{(plural, "proxy"): proxy for plural in ("pods", "services", "nodes")},
}
