"""What is wrong with a Service: nothing behind it, and why.

Rule of use: `trouble(view, service)`; no findings means that it has endpoints which are ready.

Upstream: none (https://kubernetes.io/docs/tasks/debug/debug-application/debug-service)
"""

from __future__ import annotations

from k8slab.api import labels
from k8slab.api.core import Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.api.pods import is_pod_active, is_pod_ready
from k8slab.cluster import sentences
from k8slab.cluster.explanation import Finding
from k8slab.cluster.view import View


def trouble(view: View, service: Service) -> tuple[Finding, ...]:
    """Return why the Service has no endpoint that is ready, () if it has one."""
    if service.spec.type == "ExternalName" or ready_endpoints(view, service):
        return ()
    name, namespace = service.metadata.name, service.metadata.namespace
    flag = f" -n {namespace}" if namespace != "default" else ""
    slices = f"kubectl get endpointslices -l kubernetes.io/service-name={name}{flag}"
    if not service.spec.selector:
        text = "it has no selector, so its EndpointSlices are made by hand, and none has an address"
        return (_finding(service, text, slices),)
    selector = ",".join(f"{key}={value}" for key, value in service.spec.selector.items())
    chosen = labels.from_labels(service.spec.selector)
    there = [pod for pod in view.list(Pod, namespace) if is_pod_active(pod)]
    own = [pod for pod in there if chosen.matches(pod.metadata.labels)]
    if not own:
        text = sentences.no_match("it", selector, near_labels(service, there))
        show = f"kubectl get pods --show-labels{flag}"
        return (_finding(service, text, show, f"kubectl describe service {name}{flag}"),)
    unready = [pod.metadata.name for pod in own if not is_pod_ready(pod)]
    if unready:
        text = sentences.not_ready("it", selector, unready)
        return (_finding(service, text, f'cluster.why("pod/{unready[0]}")', slices),)
    text = "its Pods are ready, and no EndpointSlice says so: does the controller manager run?"
    manager = "kubectl get pods -n kube-system -l component=kube-controller-manager"
    return (_finding(service, text, manager, slices),)


def slices_of(view: View, service: Service) -> list[EndpointSlice]:
    """Return the EndpointSlices of the Service."""
    chosen = f"kubernetes.io/service-name={service.metadata.name}"
    return view.list(EndpointSlice, service.metadata.namespace, labels=chosen)


def ready_endpoints(view: View, service: Service) -> list[str]:
    """Return the addresses to which the Service leads."""
    return [
        address
        for each in slices_of(view, service)
        for endpoint in each.endpoints
        if endpoint.conditions.ready is not False
        for address in endpoint.addresses
    ]


def near_labels(service: Service, pods: list[Pod]) -> list[str]:
    """Return the values that Pods have for the keys of the selector, or else their labels."""
    keys = list(service.spec.selector)
    values = [f"{k}={p.metadata.labels[k]}" for p in pods for k in keys if k in p.metadata.labels]
    if not values:
        values = [
            f"{k}={v}"
            for pod in pods
            for k, v in pod.metadata.labels.items()
            if "/" not in k and not k.endswith("-hash")  # not what people select by
        ]
    return list(dict.fromkeys(values))


def _finding(service: Service, text: str, *commands: str) -> Finding:
    subject = f"Service/{service.metadata.namespace}/{service.metadata.name}"
    told = f"it has no endpoints: {text}"
    return Finding(
        text=told, objects=(subject,), decided_by="endpointslice-controller", next=commands
    )
