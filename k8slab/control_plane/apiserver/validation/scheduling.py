"""Validation of where a Pod wants to be: affinity, tolerations, spreading.

Upstream: pkg/apis/core/validation/validation.go (validateAffinity, ValidateTolerations)
"""

from __future__ import annotations

from k8slab.api.core import (
    Affinity,
    NodeAffinity,
    PodAffinity,
    PodAffinityTerm,
    PodAntiAffinity,
    Toleration,
    TopologySpreadConstraint,
)
from k8slab.api.errors import duplicate, forbidden_field, invalid_value, not_supported, required
from k8slab.api.meta import LabelSelector
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    dns_label,
    each,
    label_value,
    qualified_name,
)
from k8slab.control_plane.apiserver.validation.selectors import (
    label_selector,
    node_selector,
    node_selector_term,
)

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
WEIGHT = "must be in the range 1-100"
KEY_NEEDS_EXISTS = (
    'operator must be Exists when `key` is empty, which means "match all values and all keys"'
)


def affinity(path: str, wanted: Affinity) -> Errors:
    """Yield what is wrong with the affinities of a Pod."""
    if wanted.nodeAffinity is not None:
        yield from _node_affinity(f"{path}.nodeAffinity", wanted.nodeAffinity)
    if wanted.podAffinity is not None:
        yield from _pod_affinity(f"{path}.podAffinity", wanted.podAffinity)
    if wanted.podAntiAffinity is not None:
        yield from _pod_affinity(f"{path}.podAntiAffinity", wanted.podAntiAffinity)


def tolerations(path: str, found: tuple[Toleration, ...]) -> Errors:
    """Yield what is wrong with tolerations."""
    for index, toleration in enumerate(found):
        yield from _toleration(f"{path}[{index}]", toleration)


def taint_effect(path: str, effect: str) -> Errors:
    """Yield an error if there is no such effect of a taint."""
    if effect not in EFFECTS:
        yield not_supported(path, effect, EFFECTS)


def topology_spread(path: str, found: tuple[TopologySpreadConstraint, ...]) -> Errors:
    """Yield what is wrong with topology spread constraints."""
    kinds = [(constraint.topologyKey, constraint.whenUnsatisfiable) for constraint in found]
    for index, constraint in enumerate(found):
        where = f"{path}[{index}]"
        if constraint.maxSkew <= 0:
            yield invalid_value(f"{where}.maxSkew", constraint.maxSkew, "must be greater than zero")
        if not constraint.topologyKey:
            yield required(f"{where}.topologyKey", "can not be empty")
        yield from _choice(where, "whenUnsatisfiable", constraint)
        if kinds[index] in kinds[index + 1 :]:
            text = f"{{{constraint.topologyKey}, {constraint.whenUnsatisfiable}}}"
            yield duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", text)
        yield from _min_domains(f"{where}.minDomains", constraint)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            yield from _choice(where, field, constraint)
        yield from _match_label_keys(f"{where}.matchLabelKeys", constraint)
        yield from label_selector(f"{where}.labelSelector", constraint.labelSelector)


def _toleration(path: str, toleration: Toleration) -> Errors:
    key, operator, value = toleration.key, toleration.operator, toleration.value
    if key:
        yield from each(f"{path}.key", key, qualified_name(key))
    elif operator != "Exists":
        yield invalid_value(f"{path}.operator", operator, KEY_NEEDS_EXISTS)
    if toleration.tolerationSeconds is not None and toleration.effect != "NoExecute":
        text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid_value(f"{path}.effect", toleration.effect, text)
    if operator in ("Equal", ""):
        if reasons := label_value(value):
            yield invalid_value(f"{path}.operator", value, ";".join(reasons))
    elif operator != "Exists":
        yield not_supported(f"{path}.operator", operator, ("Equal", "Exists"))
    elif value:
        text = "value must be empty when `operator` is 'Exists'"
        yield invalid_value(f"{path}.operator", value, text)
    if toleration.effect:
        yield from taint_effect(f"{path}.effect", toleration.effect)


def _node_affinity(path: str, wanted: NodeAffinity) -> Errors:
    needed = wanted.requiredDuringSchedulingIgnoredDuringExecution
    if needed is not None:
        yield from node_selector(f"{path}.{REQUIRED}", needed)
    for index, term in enumerate(wanted.preferredDuringSchedulingIgnoredDuringExecution):
        where = f"{path}.{PREFERRED}[{index}]"
        if not 1 <= term.weight <= 100:
            yield invalid_value(f"{where}.weight", term.weight, WEIGHT)
        yield from node_selector_term(f"{where}.preference", term.preference, strict=False)


def _pod_affinity(path: str, wanted: PodAffinity | PodAntiAffinity) -> Errors:
    for index, term in enumerate(wanted.requiredDuringSchedulingIgnoredDuringExecution):
        yield from _pod_affinity_term(f"{path}.{REQUIRED}[{index}]", term)
    for index, weighted in enumerate(wanted.preferredDuringSchedulingIgnoredDuringExecution):
        where = f"{path}.{PREFERRED}[{index}]"
        if not 1 <= weighted.weight <= 100:
            yield invalid_value(f"{where}.weight", weighted.weight, WEIGHT)
        yield from _pod_affinity_term(f"{where}.podAffinityTerm", weighted.podAffinityTerm)


def _pod_affinity_term(path: str, term: PodAffinityTerm) -> Errors:
    yield from label_selector(f"{path}.labelSelector", term.labelSelector)
    yield from label_selector(f"{path}.namespaceSelector", term.namespaceSelector)
    for namespace in term.namespaces:
        yield from each(f"{path}.namespace", namespace, dns_label(namespace))
    for field in ("matchLabelKeys", "mismatchLabelKeys"):
        if getattr(term, field) and term.labelSelector is None:
            text = "must not be specified when labelSelector is not set"
            yield forbidden_field(f"{path}.{field}", text)
    if not term.topologyKey:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from each(f"{path}.topologyKey", term.topologyKey, qualified_name(term.topologyKey))


CHOICES = {
    "whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
    "nodeAffinityPolicy": ("Honor", "Ignore"),
    "nodeTaintsPolicy": ("Honor", "Ignore"),
}


def _choice(path: str, field: str, constraint: TopologySpreadConstraint) -> Errors:
    value = getattr(constraint, field)
    if value is not None and value not in CHOICES[field]:
        yield not_supported(f"{path}.{field}", value, CHOICES[field])


def _min_domains(path: str, constraint: TopologySpreadConstraint) -> Errors:
    number = constraint.minDomains
    if number is None:
        return
    if number <= 0:
        yield invalid_value(path, number, "must be greater than zero")
    if constraint.whenUnsatisfiable != "DoNotSchedule":
        text = (
            "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not "
            f"{constraint.whenUnsatisfiable}"
        )
        yield invalid_value(path, number, text)


def _match_label_keys(path: str, constraint: TopologySpreadConstraint) -> Errors:
    if not constraint.matchLabelKeys:
        return
    if constraint.labelSelector is None:
        text = "must not be specified when labelSelector is not set"
        yield forbidden_field(path, text)
    taken = _keys_of(constraint.labelSelector)
    for index, key in enumerate(constraint.matchLabelKeys):
        yield from each(f"{path}[{index}]", key, qualified_name(key))
        if key in taken:
            yield invalid_value(
                f"{path}[{index}]", key, "exists in both matchLabelKeys and labelSelector"
            )


def _keys_of(selector: LabelSelector | None) -> tuple[str, ...]:
    if selector is None:
        return ()
    return (*selector.matchLabels, *(e.key for e in selector.matchExpressions))
