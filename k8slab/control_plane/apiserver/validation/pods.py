"""Validation of Pods and of the templates that Pods are made from.

`pod` checks a Pod, `pod_template` a template inside another object; both share `pod_spec`. What an
update may change is in `pod_updates`.

Rule of use: objects are defaulted before they come here, so an absent policy is an error.

Upstream: pkg/apis/core/validation/validation.go (ValidatePodSpec, ValidatePodTemplateSpec)
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api.core import (
    Pod,
    PodDNSConfig,
    PodSpec,
    PodTemplate,
    PodTemplateSpec,
    ResourceRequirements,
)
from k8slab.api.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from k8slab.control_plane.apiserver.validation import (
    containers,
    resources,
    scheduling,
    security,
    volumes,
)
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    dns_label,
    dns_subdomain,
    each,
    in_range,
    ip,
    qualified_name,
)
from k8slab.control_plane.apiserver.validation.metadata import annotation_map, label_map

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
MAX_DEADLINE = 2**31 - 1  # s
MAX_NAMESERVERS, MAX_SEARCHES, MAX_SEARCH_TEXT = 3, 32, 2048
MIRROR = "kubernetes.io/config.mirror"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def pod(obj: Pod) -> list[FieldError]:
    """Return what is wrong with a new Pod, metadata apart."""
    found = list(pod_annotations("metadata.annotations", obj.metadata.annotations, obj.spec))
    found += pod_spec("spec", obj.spec, is_pod=True)
    if obj.spec.ephemeralContainers:
        found.append(forbidden_field("spec.ephemeralContainers", "cannot be set on create"))
    if obj.spec.nodeName and obj.spec.schedulingGates:
        text = "cannot be set until all schedulingGates have been cleared"
        found.append(forbidden_field("spec.nodeName", text))
    return found


def pod_template_object(obj: PodTemplate) -> Errors:
    """Yield what is wrong with a template that is an object of its own."""
    yield from pod_template("template", obj.template)


def pod_template(path: str, template: PodTemplateSpec) -> Errors:
    """Yield what is wrong with a Pod template."""
    meta = template.metadata
    yield from label_map(f"{path}.labels", meta.labels)
    yield from annotation_map(f"{path}.annotations", meta.annotations)
    yield from pod_annotations(f"{path}.annotations", meta.annotations, template.spec)
    yield from pod_spec(f"{path}.spec", template.spec, is_pod=False)
    if template.spec.ephemeralContainers:
        text = "ephemeral containers not allowed in pod template"
        yield forbidden_field(f"{path}.spec.ephemeralContainers", text)


def pod_annotations(path: str, found: Mapping[str, str], spec: PodSpec) -> Errors:
    """Yield what is wrong with the annotations that mean something for a Pod."""
    if not found:
        return
    if MIRROR in found and not spec.nodeName:
        text = "must set spec.nodeName if mirror pod annotation is set"
        yield invalid_value(f"{path}[{MIRROR}]", found[MIRROR], text)
    cost = found.get(DELETION_COST)
    if cost is not None and not _is_int32(cost):
        yield invalid_value(f"{path}[{DELETION_COST}]", cost, "must be a 32bit integer")


def pod_spec(path: str, spec: PodSpec, *, is_pod: bool) -> Errors:
    """Yield what is wrong with the spec of a Pod or template."""
    if spec.terminationGracePeriodSeconds is None:
        yield required(f"{path}.terminationGracePeriodSeconds")
    wrong, usable = volumes.volumes(f"{path}.volumes", spec.volumes)
    yield from wrong
    surroundings = containers.surroundings(spec, usable, is_pod=is_pod)
    yield from containers.containers(f"{path}.containers", spec, surroundings)
    if spec.initContainers:
        yield from containers.init_containers(f"{path}.initContainers", spec, surroundings)
    if spec.ephemeralContainers:
        where = f"{path}.ephemeralContainers"
        yield from containers.ephemeral_containers(where, spec, surroundings)
    if spec.resources is not None:
        yield from resources.pod_resources(f"{path}.resources", spec.resources)
    if spec.hostNetwork:
        yield from _host_network(f"{path}.containers", spec, is_pod)
    yield from _policies(path, spec)
    if spec.nodeSelector:
        yield from label_map(f"{path}.nodeSelector", spec.nodeSelector)
    yield from security.pod(path, spec)
    yield from _placement(path, spec)
    yield from _names(path, spec)
    yield from _numbers(path, spec)


def _host_network(path: str, spec: PodSpec, is_pod: bool) -> Errors:
    for index, container in enumerate(spec.containers):
        for number, port in enumerate(container.ports):
            if port.hostPort != port.containerPort and (is_pod or port.hostPort):
                where = f"{path}[{index}].ports[{number}].hostPort"
                text = "must match `containerPort` when `hostNetwork` is true"
                yield invalid_value(where, port.hostPort, text)


def _policies(path: str, spec: PodSpec) -> Errors:
    if spec.restartPolicy not in RESTART_POLICIES:
        yield _unknown(f"{path}.restartPolicy", spec.restartPolicy, RESTART_POLICIES)
    if spec.dnsPolicy not in DNS_POLICIES:
        yield _unknown(f"{path}.dnsPolicy", spec.dnsPolicy, DNS_POLICIES)
    policy = spec.preemptionPolicy
    if policy not in (None, "PreemptLowerPriority", "Never"):
        supported = ("PreemptLowerPriority", "Never")
        yield _unknown(f"{path}.preemptionPolicy", policy or "", supported)
    if spec.os is not None and spec.os.name not in ("linux", "windows"):
        yield _unknown(f"{path}.os.name", spec.os.name, ("linux", "windows"))


def _placement(path: str, spec: PodSpec) -> Errors:
    if spec.affinity is not None:
        yield from scheduling.affinity(f"{path}.affinity", spec.affinity)
    if spec.dnsConfig is not None or spec.dnsPolicy == "None":
        yield from _dns_config(f"{path}.dnsConfig", spec)
    for index, gate in enumerate(spec.readinessGates):
        where = f"{path}.readinessGates[{index}].conditionType"
        yield from each(where, gate.conditionType, qualified_name(gate.conditionType))
    names = [gate.name for gate in spec.schedulingGates]
    for index, name in enumerate(names):
        where = f"{path}.schedulingGates[{index}]"
        yield from each(where, name, qualified_name(name))
        if name in names[:index]:
            yield duplicate(where, name)
    if spec.topologySpreadConstraints:
        where = f"{path}.topologySpreadConstraints"
        yield from scheduling.topology_spread(where, spec.topologySpreadConstraints)
    yield from security.host_users(path, spec)
    if spec.tolerations:
        yield from scheduling.tolerations(f"{path}.tolerations", spec.tolerations)


def _names(path: str, spec: PodSpec) -> Errors:
    for field in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        value = getattr(spec, field)
        if value:
            yield from each(f"{path}.{field}", value, dns_subdomain(value))
    for field in ("hostname", "subdomain"):
        value = getattr(spec, field)
        if value:
            yield from each(f"{path}.{field}", value, dns_label(value))
    for index, alias in enumerate(spec.hostAliases):
        where = f"{path}.hostAliases[{index}]"
        yield from each(f"{where}.ip", alias.ip, ip(alias.ip))
        for number, name in enumerate(alias.hostnames):
            yield from each(f"{where}.hostnames[{number}]", name, dns_subdomain(name))


def _numbers(path: str, spec: PodSpec) -> Errors:
    deadline = spec.activeDeadlineSeconds
    if deadline is not None:
        reasons = in_range(deadline, 1, MAX_DEADLINE)
        yield from each(f"{path}.activeDeadlineSeconds", deadline, reasons)
    if spec.overhead:
        overhead = ResourceRequirements(limits=spec.overhead)
        yield from resources.requirements(f"{path}.overhead", overhead, frozenset())


def _dns_config(path: str, spec: PodSpec) -> Errors:
    config = spec.dnsConfig
    if spec.dnsPolicy == "None":
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.nameservers:
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield required(f"{path}.nameservers", text)
            return
    if config is not None:
        yield from _resolver(path, config)


def _resolver(path: str, config: PodDNSConfig) -> Errors:
    servers, searches = config.nameservers, config.searches
    if len(servers) > MAX_NAMESERVERS:
        text = f"must not have more than {MAX_NAMESERVERS} nameservers"
        yield invalid_value(f"{path}.nameservers", servers, text)
    for index, server in enumerate(servers):
        yield from each(f"{path}.nameservers[{index}]", server, ip(server))
    if len(searches) > MAX_SEARCHES:
        text = f"must not have more than {MAX_SEARCHES} search paths"
        yield invalid_value(f"{path}.searches", searches, text)
    if len(" ".join(searches)) > MAX_SEARCH_TEXT:
        text = (
            f"must not have more than {MAX_SEARCH_TEXT} characters (including spaces) in the "
            "search list"
        )
        yield invalid_value(f"{path}.searches", searches, text)
    for index, search in enumerate(searches):
        plain = search.removesuffix(".")
        if search != "." and dns_subdomain(plain.replace("_", "a")):
            yield from each(f"{path}.searches[{index}]", plain, dns_subdomain(plain))
    for index, option in enumerate(config.options):
        if not option.name:
            yield required(f"{path}.options[{index}]", "must not be empty")


def _unknown(path: str, value: str, supported: tuple[str, ...]) -> FieldError:
    return not_supported(path, value, supported) if value else required(path)


def _is_int32(text: str) -> bool:
    digits = text.removeprefix("-")
    # "+1" and "01" are refused, so that a number is always written in one way.
    if not digits.isdecimal() or not digits.isascii() or (digits[0] == "0" and text != "0"):
        return False
    return -(2**31) <= int(text) < 2**31
