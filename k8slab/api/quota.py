"""What an object costs of a ResourceQuota.

Interface: ``usage_of`` (what one object uses), ``applies_to`` (whether a quota's scopes cover it),
``must_specify`` (what a Pod has to say so that it can be reckoned), ``add`` and ``pretty``.
Rule: amounts are text as in the quota; what a quota does not name is not limited.

>>> add({"pods": "1", "cpu": "500m"}, {"cpu": "1"})
{'pods': '1', 'cpu': '1500m'}

Upstream: pkg/quota/v1/evaluator/core, staging/src/k8s.io/apiserver/pkg/quota/v1
"""

from collections.abc import Iterable, Mapping
from typing import Any

from k8slab.api.core import (
    PersistentVolumeClaim,
    Pod,
    ResourceQuota,
    ScopedResourceSelectorRequirement,
    Service,
)
from k8slab.api.meta import Object
from k8slab.api.quantity import format_quantity, parse
from k8slab.api.scheme import resource_for

Amounts = Mapping[str, str]  # quantities by the name of the resource

# Kinds that may be limited by their plain plural, beside count/<plural>.
PLAIN = (
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
)
COMPUTE = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
BARE = ("cpu", "memory", "ephemeral-storage")  # which without a prefix mean requests


def usage_of(obj: Object) -> dict[str, str]:
    """Return everything that a quota could count of an object."""
    resource = resource_for(obj)
    used = {f"count/{resource.group_resource}": "1"}
    if isinstance(obj, Pod):
        if obj.status.phase in ("Succeeded", "Failed"):
            return used
        used.update(_of_pod(obj))
    elif isinstance(obj, Service):
        nodes = obj.spec.type in ("NodePort", "LoadBalancer")
        no_ports = (
            obj.spec.type == "LoadBalancer" and obj.spec.allocateLoadBalancerNodePorts is False
        )
        used["services.nodeports"] = str(len(obj.spec.ports) if nodes and not no_ports else 0)
        used["services.loadbalancers"] = str(int(obj.spec.type == "LoadBalancer"))
    elif isinstance(obj, PersistentVolumeClaim):
        used.update(_of_claim(obj))
    if resource.plural in PLAIN and not resource.group:
        used[resource.plural] = "1"
    return used


def _of_claim(claim: PersistentVolumeClaim) -> dict[str, str]:
    storage = claim.spec.resources.requests.get("storage", "0")
    used = {"requests.storage": storage}
    if claim.spec.storageClassName:
        prefix = f"{claim.spec.storageClassName}.storageclass.storage.k8s.io"
        used[f"{prefix}/requests.storage"] = storage
        used[f"{prefix}/persistentvolumeclaims"] = "1"
    return used


def _of_pod(pod: Pod) -> dict[str, str]:
    used: dict[str, str] = {}
    for name, amount in total(pod, "requests").items():
        used[f"requests.{name}"] = amount
        if name in BARE or name.startswith("hugepages-"):
            used[name] = amount
    for name, amount in total(pod, "limits").items():
        used[f"limits.{name}"] = amount
    return used


def total(pod: Pod, side: str) -> dict[str, str]:
    """Return the Pod's requests or limits: containers add up, of init containers the largest."""
    spec = pod.spec
    found: dict[str, str] = {}
    for container in spec.containers:
        found = add(found, getattr(container.resources, side))
    sidecars: dict[str, str] = {}
    peak: dict[str, str] = {}
    for container in spec.initContainers:
        own: Amounts = getattr(container.resources, side)
        if container.restartPolicy == "Always":
            found, sidecars = add(found, own), add(sidecars, own)
        else:
            peak = _larger(peak, add(sidecars, own))
    found = _larger(found, peak)
    if spec.resources is not None:
        found.update(getattr(spec.resources, side))
    overhead = spec.overhead
    if side == "limits":  # what has no limit gets none by it
        overhead = {name: amount for name, amount in overhead.items() if name in found}
    return add(found, overhead)


# -- scopes


def applies_to(quota: ResourceQuota, obj: Object) -> bool:
    """Say whether the quota's scopes cover the object; scopes are about Pods only."""
    spec = quota.spec
    wanted = [
        ScopedResourceSelectorRequirement(scopeName=s, operator="Exists") for s in spec.scopes
    ]
    if spec.scopeSelector is not None:
        wanted += spec.scopeSelector.matchExpressions
    if not wanted:
        return True
    return isinstance(obj, Pod) and all(_in_scope(requirement, obj) for requirement in wanted)


def _in_scope(wanted: ScopedResourceSelectorRequirement, pod: Pod) -> bool:
    name, spec = wanted.scopeName, pod.spec
    if name == "PriorityClass":
        return _in_class(wanted, spec.priorityClassName)
    terminating = (spec.activeDeadlineSeconds or 0) > 0 or spec.activeDeadlineSeconds == 0
    best_effort = not total(pod, "requests") and not total(pod, "limits")
    return {
        "Terminating": terminating,
        "NotTerminating": not terminating,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "CrossNamespacePodAffinity": _reaches_out(spec.affinity),
    }.get(name, False)


def _in_class(wanted: ScopedResourceSelectorRequirement, found: str) -> bool:
    return {
        "Exists": found != "",
        "DoesNotExist": found == "",
        "In": found in wanted.values,
        "NotIn": found not in wanted.values,
    }.get(wanted.operator, False)


def _reaches_out(affinity: Any) -> bool:
    """Say whether a Pod's affinity looks at Pods of other namespaces."""
    for rules in (affinity.podAffinity, affinity.podAntiAffinity) if affinity else ():
        if rules is None:
            continue
        terms = list(rules.requiredDuringSchedulingIgnoredDuringExecution)
        preferred = rules.preferredDuringSchedulingIgnoredDuringExecution
        terms += [weighted.podAffinityTerm for weighted in preferred]
        if any(term.namespaces or term.namespaceSelector is not None for term in terms):
            return True
    return False


def must_specify(quota: ResourceQuota, pod: Pod) -> str:
    """Return what containers fail to say although the quota limits it, "" if nothing."""
    if pod.spec.resources is not None:
        return ""
    missing: dict[str, list[str]] = {}
    for key in COMPUTE:
        if key not in quota.status.hard:
            continue
        side, _, name = key.rpartition(".")
        for container in (*pod.spec.containers, *pod.spec.initContainers):
            if name not in getattr(container.resources, side or "requests"):
                missing.setdefault(key, []).append(container.name)
    return "; ".join(f"{key} for: {','.join(sorted(missing[key]))}" for key in sorted(missing))


# -- arithmetic


def add(one: Amounts, other: Amounts) -> dict[str, str]:
    """Return the sums; a resource that only one side has keeps its amount."""
    total = dict(one)
    for name, amount in other.items():
        total[name] = _sum(total[name], amount) if name in total else amount
    return total


def more(after: Amounts, before: Amounts) -> dict[str, str]:
    """Return by how much amounts have grown, leaving out what has not.

    >>> more({"cpu": "2", "pods": "1"}, {"cpu": "500m", "pods": "1"})
    {'cpu': '1500m'}
    """
    grown = {}
    for name, amount in after.items():
        had = before.get(name, "0")
        if exceeds(amount, had):
            number, style = parse(amount)
            grown[name] = format_quantity(number - parse(had)[0], style)
    return grown


def exceeds(amount: str, limit: str) -> bool:
    """Say whether an amount is above a limit."""
    return parse(amount)[0] > parse(limit)[0]


def pretty(amounts: Amounts, names: Iterable[str]) -> str:
    """Write some amounts as refusals quote them: "cpu=1,memory=1Gi"."""
    return ",".join(f"{name}={amounts[name]}" for name in sorted(names))


def _sum(one: str, other: str) -> str:
    first, style = parse(one)
    second, other_style = parse(other)
    return format_quantity(first + second, style if first else other_style)


def _larger(one: Amounts, other: Amounts) -> dict[str, str]:
    total = dict(one)
    for name, amount in other.items():
        if name not in total or exceeds(amount, total[name]):
            total[name] = amount
    return total
