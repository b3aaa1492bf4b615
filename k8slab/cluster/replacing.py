"""Functions of a learner's in the place of the lab's: `Cluster(replace={"pod_phase": my_phase})`.

The table `REPLACEABLE` says which there are. Each is wrapped before a component gets it: it sees
copies, what it returns is looked at, and what it does wrong becomes a `ReplacementError`, which the
component tells where people look. Pods of kube-system keep the lab's own functions wherever their
failure would keep the cluster from coming up.

Rule of use: to make a function replaceable, add a row here and hand `world.replace[name]` to its
component; `checked` functions raise `ReplacementError` in the learner's words.

Upstream: none
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import EllipsisType
from typing import Any

from k8slab.addons.coredns.records import Answer
from k8slab.api.core import Pod, PodSpec, Taint, Toleration
from k8slab.client.learner import ReplacementError, call, copied, shown
from k8slab.control_plane.controllers.learner_controller import UnreliableWatch
from k8slab.control_plane.scheduler.plugins.learner import adapt
from k8slab.control_plane.scheduler.profile import DEFAULT_PLUGINS
from k8slab.linux.http import Request, Response
from k8slab.linux.netfilter import Ruleset
from k8slab.linux.nft import NftRuleset
from k8slab.linux.resolver import Lookup, ResolutionError

PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
EFFECTS = ("ready", "started", "restart")
KUBELETS = ("pod_phase", "probe_effects", "stop_delay")  # settings of a kubelet
REPLACEABLE: Mapping[str, str] = {
    "controller": "reconcile(desk, event) of a controller of your own, beside the others",
    "replica_set": "plan(rs, pods, *, now, related=()) of the ReplicaSet controller",
    "deployment": "sizes(deployment, new, old) of the Deployment controller's rolling updates",
    "scheduler_plugins": "a class with filter(pod, node) or score(pod, node), or a list of plugins",
    "pod_phase": "pod_phase(spec, container_statuses, init_container_statuses, ...) of kubelets",
    "probe_effects": "probe_effects(kind, success) of kubelets",
    "stop_delay": "stop_delay(pod) of kubelets, in seconds",
    "eviction_delay": "eviction_delay(taints, tolerations) of taint eviction, in seconds",
    "endpoint_slice": "plan(service, pods, nodes, existing, *, trigger_time) of EndpointSlices",
    "queries": "queries(name, resolv_conf, *, libc) of the resolver in each Pod",
    "keeps_open": "keeps_open(request, answer) of HTTP clients in Pods",
    "dns_answer": "answer(qname, qtype, *, services, endpoint_slices, ...) of CoreDNS",
    "kube_proxy": "render(services, endpoint_slices, *, node, config) of kube-proxy",
}


class QueriesFailedError(ResolutionError):
    """A name that has no address because the learner's search of it went wrong."""

    def __init__(self, name: str, why: ReplacementError) -> None:
        super().__init__(Lookup(name, ()))
        self.args = (f"Could not resolve host: {name}: {why}",)


def adapted(replace: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the replacements, each as its component wants it; raise ValueError for others."""
    known = dict(replace or {})
    for name in known:
        if name not in REPLACEABLE:
            near = difflib.get_close_matches(name, REPLACEABLE, 1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            names = ", ".join(REPLACEABLE)
            raise ValueError(f"nothing to replace is called {name!r}{hint} There are: {names}.")
    for name, adapter in ADAPTERS.items():
        if known.get(name) is not None:
            known[name] = adapter(known[name])
    return known


def pod_phase(function: Callable[..., Any]) -> Callable[..., str]:
    """Return the learner's phase as kubelets call it."""
    usage = "pod_phase(spec, container_statuses, init_container_statuses, terminal=..., ...)"

    def decide(spec: PodSpec, regular: Sequence[Any], init: Sequence[Any], **facts: bool) -> str:
        phase = call("pod_phase", usage, function, spec, tuple(regular), tuple(init), **facts)
        if phase not in PHASES:
            text = f"your pod_phase returned {shown(phase)}, expected one of {', '.join(PHASES)}"
            raise ReplacementError(text)
        return str(phase)

    return decide


def probe_effects(function: Callable[..., Any]) -> Callable[[str, bool], Mapping[str, bool]]:
    """Return the learner's effects of a probe as kubelets ask for them."""

    def decide(kind: str, success: bool) -> Mapping[str, bool]:
        found = call("probe_effects", "probe_effects(kind, success)", function, kind, success)
        if not isinstance(found, Mapping) or not set(found) <= set(EFFECTS):
            text = f"your probe_effects returned {shown(found)}, expected a dict with some of "
            raise ReplacementError(text + ", ".join(EFFECTS))
        return {name: bool(value) for name, value in found.items()}

    return decide


def stop_delay(function: Callable[..., Any]) -> Callable[[Pod], float]:
    """Return the learner's pause before a deleted Pod's end as kubelets ask for it."""

    def decide(pod: Pod) -> float:
        found = call("stop_delay", "stop_delay(pod)", function, copied(pod))
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 1e6:
            text = f"your stop_delay returned {shown(found)}, expected a number of seconds"
            raise ReplacementError(text)
        return float(found)

    return decide


def eviction_delay(
    function: Callable[..., Any],
) -> Callable[[Sequence[Taint], Sequence[Toleration]], float]:
    """Return the learner's patience with a tainted node as taint eviction asks for it."""
    usage = "eviction_delay(taints, tolerations)"

    def decide(taints: Sequence[Taint], tolerations: Sequence[Toleration]) -> float:
        found = call("eviction_delay", usage, function, tuple(taints), tuple(tolerations))
        if isinstance(found, bool) or not isinstance(found, int | float) or not found >= 0:
            text = f"your eviction_delay returned {shown(found)}, expected seconds or infinity"
            raise ReplacementError(text)
        return float(found)

    return decide


def keeps_open(function: Callable[..., Any]) -> Callable[[Request, Response], bool]:
    """Return the learner's decision about a connection as HTTP clients ask for it."""
    usage = "keeps_open(request, answer)"

    def decide(request: Request, answer: Response) -> bool:
        found = call("keeps_open", usage, function, request, answer)
        if not isinstance(found, bool):
            text = f"your keeps_open returned {shown(found)}, expected True or False"
            raise ReplacementError(text)
        return found

    return decide


def resolver_queries(function: Callable[..., Any]) -> Callable[..., list[str]]:
    """Return the learner's search list as the resolver calls it."""
    usage = "queries(name, resolv_conf, libc=...)"

    def search(name: str, resolv_conf: Any, *, libc: str = "glibc") -> list[str]:
        try:
            found = call("queries", usage, function, name, resolv_conf, libc=libc)
            names = isinstance(found, list | tuple) and all(isinstance(one, str) for one in found)
            if not names or not found:
                text = f"your queries returned {shown(found)}, expected a list of names"
                raise ReplacementError(text)
        except ReplacementError as error:
            raise QueriesFailedError(name, error) from None
        return list(found)

    return search


def dns_answer(function: Callable[..., Any]) -> Callable[..., Answer]:
    """Return the learner's answers as CoreDNS looks names up; it is given what it asks for."""
    usage = "answer(qname, qtype, services=..., endpoint_slices=...)"

    def look_up(name: str, qtype: str, source: Any, config: Any) -> Answer:
        facts = {**source.objects(), "config": config}
        given = {key: facts[key] for key in _taken(function, facts)}
        found = call("answer", usage, function, name, qtype, **given)
        if not isinstance(found, Answer):
            raise ReplacementError(f"your answer returned {shown(found)}, expected an Answer")
        return found

    return look_up


def kube_proxy(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the learner's rules as proxies ask for them."""
    usage = "render(services, endpoint_slices, node=..., config=...)"

    def render(services: Sequence[Any], slices: Sequence[Any], **facts: Any) -> Any:
        copies = [copied(each) for each in services], [copied(each) for each in slices]
        found = call("render", usage, function, *copies, **facts)
        if not isinstance(found, str | Ruleset | NftRuleset):
            text = f"your render returned {shown(found)}, expected the rules or their text"
            raise ReplacementError(text)
        return found

    return render


def _taken(function: Callable[..., Any], facts: Mapping[str, Any]) -> list[str]:
    """Return which of the facts a function has parameters for."""
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return list(facts)
    return [name for name in facts if name in parameters]


def scheduler_plugins(given: Any) -> list[Any]:
    """Return a profile's plugins: a learner's own is added to the default ones.

    Raises TypeError for what is no plugin and ValueError for a name that none has.
    """
    chosen = list(given) if isinstance(given, list | tuple) else [..., given]
    named = [kind.name for kind, _ in DEFAULT_PLUGINS]
    for one in chosen:
        if isinstance(one, str) and one not in named:
            raise ValueError(f"there is no plugin {one}; there are {', '.join(named)}")
        if not isinstance(one, str | EllipsisType):
            adapt(one)
    return chosen


def controller(given: Any) -> UnreliableWatch:
    """Return the learner's controller with its watch, which loses nothing unless it was told to."""
    return given if isinstance(given, UnreliableWatch) else UnreliableWatch(given)


ADAPTERS: Mapping[str, Callable[[Any], Any]] = {
    "controller": controller,
    "scheduler_plugins": scheduler_plugins,
    "pod_phase": pod_phase,
    "probe_effects": probe_effects,
    "stop_delay": stop_delay,
    "eviction_delay": eviction_delay,
    "queries": resolver_queries,
    "keeps_open": keeps_open,
    "dns_answer": dns_answer,
    "kube_proxy": kube_proxy,
}
