"""Validation of ResourceQuotas and LimitRanges: names of resources, amounts, bounds.

Upstream: pkg/apis/core/validation/validation.go (ValidateResourceQuotaSpec, ValidateLimitRange)
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from k8slab.api import quantity
from k8slab.api.core import LimitRange, LimitRangeItem, ResourceQuota, ResourceQuotaSpec
from k8slab.api.errors import duplicate, forbidden_field, invalid_value, required
from k8slab.control_plane.apiserver.validation.formats import (
    NOT_NEGATIVE,
    Errors,
    each,
    immutable,
    qualified_name,
)
from k8slab.control_plane.apiserver.validation.resources import STANDARD, container_resource

OBJECTS = frozenset(
    [
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    ]
)
ASKED = frozenset(
    f"{prefix}.{name}" for prefix, name in product(("requests", "limits"), sorted(STANDARD))
)
OF_QUOTAS = OBJECTS | STANDARD | ASKED | {"requests.storage"}
KNOWN = OF_QUOTAS | {"storage"}
HUGE = ("hugepages-", "requests.hugepages-")
COMPUTE = frozenset(
    ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]
)
PLAIN_SCOPES = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating")
SCOPES = (*PLAIN_SCOPES, "PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass")
OPPOSITES = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
ONLY_EXISTS = (
    "must be 'Exist' only operator when scope is any of ResourceQuotaScopeTerminating, "
    "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
    "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
NO_VALUES = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
SOME_VALUES = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
NOT_OF_PODS = "may not be specified when `type` is 'Pod'"


def resource_quota(obj: ResourceQuota) -> Errors:
    """Yield what is wrong with a quota: each thing that it limits, and its scopes."""
    spec = obj.spec
    for name, amount in spec.hard.items():
        where = f"spec.hard[{name}]"
        yield from _resource(where, name)
        if "/" not in name and name not in OF_QUOTAS and not name.startswith(HUGE):
            yield invalid_value(where, name, "must be a standard resource for quota")
        milli = quantity.milli_value(amount)
        if milli < 0:
            yield invalid_value(where, amount, NOT_NEGATIVE)
        if milli % 1000 and (name in OBJECTS or _extended(name)):
            yield invalid_value(where, amount, "must be an integer")
    yield from _scopes(spec)
    yield from _scope_selector(spec)


def resource_quota_update(new: ResourceQuota, old: ResourceQuota) -> Errors:
    """Yield what is wrong with a changed quota: its scopes stay."""
    yield from resource_quota(new)
    if sorted(new.spec.scopes) != sorted(old.spec.scopes):
        yield from immutable("spec.scopes", new.spec.scopes, old.spec.scopes)


def limit_range(obj: LimitRange) -> Errors:
    """Yield what is wrong with bounds: minimum, request, limit and maximum must be in order."""
    for index, item in enumerate(obj.spec.limits):
        path = f"spec.limits[{index}]"
        reasons = qualified_name(item.type)
        yield from each(f"{path}.type", item.type, reasons)
        if not reasons and "/" not in item.type and item.type not in LIMIT_TYPES:
            text = "must be a standard limit type or fully qualified"
            yield invalid_value(f"{path}.type", item.type, text)
        if any(other.type == item.type for other in obj.spec.limits[:index]):
            yield duplicate(f"{path}.type", item.type)
        yield from _limit_names(path, item)
        yield from _limit_order(path, item)


def _resource(path: str, name: str) -> Errors:
    reasons = qualified_name(name)
    yield from each(path, name, reasons)
    if not reasons and "/" not in name and name not in KNOWN and not name.startswith(HUGE):
        yield invalid_value(path, name, "must be a standard resource type or fully qualified")


def _extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def _fits(scope: str, name: str) -> bool:
    """Say whether a scope, which selects Pods or claims, means anything for a resource."""
    if name not in OF_QUOTAS and not name.startswith(HUGE):
        return True
    if scope == "BestEffort":
        return name == "pods"
    if scope == "VolumeAttributesClass":
        return name in ("persistentvolumeclaims", "requests.storage")
    return scope not in SCOPES or name == "pods" or name in COMPUTE


def _conflict(scopes: list[str]) -> bool:
    return any(one in scopes and other in scopes for one, other in OPPOSITES)


def _scopes(spec: ResourceQuotaSpec) -> Errors:
    path, scopes = "spec.scopes", spec.scopes
    for scope in scopes:
        if scope not in SCOPES:
            yield invalid_value(path, scopes, "unsupported scope")
        for name in sorted(spec.hard):
            if not _fits(scope, name):
                yield invalid_value(path, scopes, "unsupported scope applied to resource")
    if _conflict(list(scopes)):
        yield invalid_value(path, scopes, "conflicting scopes")


def _scope_selector(spec: ResourceQuotaSpec) -> Errors:
    if spec.scopeSelector is None:
        return
    path, tests = "spec.scopeSelector.matchExpressions", spec.scopeSelector.matchExpressions
    for test in tests:
        if test.scopeName not in SCOPES:
            yield invalid_value(f"{path}.scopeName", test.scopeName, "unsupported scope")
        for name in sorted(spec.hard):
            if not _fits(test.scopeName, name):
                text = "unsupported scope applied to resource"
                yield invalid_value(path, spec.scopeSelector, text)
        only_exists = test.scopeName in (*PLAIN_SCOPES, "CrossNamespacePodAffinity")
        if only_exists and test.operator != "Exists":
            yield invalid_value(f"{path}.operator", test.operator, ONLY_EXISTS)
        if test.operator in ("In", "NotIn"):
            if not test.values:
                yield required(f"{path}.values", NO_VALUES)
        elif test.operator not in ("Exists", "DoesNotExist"):
            yield invalid_value(f"{path}.operator", test.operator, "not a valid selector operator")
        elif test.values:
            yield invalid_value(f"{path}.values", test.values, SOME_VALUES)
    if _conflict([test.scopeName for test in tests]):
        yield invalid_value(path, spec.scopes, "conflicting scopes")


def _limit_names(path: str, item: LimitRangeItem) -> Errors:
    named = container_resource if item.type in ("Pod", "Container") else _resource
    for field in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
        amounts = getattr(item, field)
        if item.type == "Pod" and field.startswith("default"):
            if amounts:
                yield forbidden_field(f"{path}.{field}", NOT_OF_PODS)
            continue
        for name in amounts:
            yield from named(f"{path}.{field}[{name}]", name)
    if item.type == "PersistentVolumeClaim" and not {"storage"} & (
        item.min.keys() | item.max.keys()
    ):
        text = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{path}.limits", text)


def _limit_order(path: str, item: LimitRangeItem) -> Errors:
    of_pod = item.type == "Pod"
    bounds = {
        "min": ("min value", item.min),
        "max": ("max value", item.max),
        "default": ("default value", {} if of_pod else item.default),
        "limit": ("default limit value", {} if of_pod else item.default),
        "defaultRequest": ("default request value", {} if of_pod else item.defaultRequest),
    }
    # Each pair that must be in order, and the field and value that upstream blames.
    pairs = (
        ("min", "max", "min", "min"),
        ("min", "defaultRequest", "defaultRequest", "defaultRequest"),
        ("defaultRequest", "max", "defaultRequest", "defaultRequest"),
        ("defaultRequest", "limit", "defaultRequest", "defaultRequest"),
        ("min", "default", "default", "min"),
        ("default", "max", "default", "max"),
    )
    names = sorted({name for _, amounts in bounds.values() for name in amounts})
    for name in names:
        for low, high, field, blamed in pairs:
            (low_text, lows), (high_text, highs) = bounds[low], bounds[high]
            if name in lows and name in highs and _amount(lows[name]) > _amount(highs[name]):
                text = f"{low_text} {lows[name]} is greater than {high_text} {highs[name]}"
                yield invalid_value(f"{path}.{field}[{name}]", bounds[blamed][1][name], text)
    for name, ratio in item.maxLimitRequestRatio.items():
        where = f"{path}.maxLimitRequestRatio[{name}]"
        if _amount(ratio) < 1:
            yield invalid_value(where, ratio, f"ratio {ratio} is less than 1")
        if name in item.min and name in item.max and _amount(item.min[name]):
            most = _amount(item.max[name]) / _amount(item.min[name])
            if _amount(ratio) > most:
                text = f"ratio {ratio} is greater than max/min = {float(most):.6f}"
                yield invalid_value(where, ratio, text)


def _amount(text: str) -> Fraction:
    return quantity.parse(text)[0]
