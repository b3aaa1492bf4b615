"""The learner's questions to a cluster: requests, names, placements, and what a watch reports.

    cluster.request("pod/client", "http://web")      # the whole journey
    cluster.resolve("web", namespace="shop")         # every DNS query, and its answer
    cluster.explain(pod)                             # where the scheduler would put it, and why
    cluster.watch("pods").events                     # what the API server tells a watcher

Rule of use: inherited by `Cluster`; what sends packets or calls is an input of the run.

Upstream: none (curl, nslookup, kube-scheduler --v=10 and kubectl get --watch do parts of this)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from k8slab.api.core import Pod, PodDNSConfig, PodDNSConfigOption, PodSpec
from k8slab.api.meta import ObjectMeta
from k8slab.cluster.breaking import COMMAND_LIMIT, Breakable
from k8slab.cluster.names import named
from k8slab.cluster.recording import recorded
from k8slab.cluster.turn import in_turn
from k8slab.cluster.world import CONTROL_PLANE
from k8slab.linux.resolv_conf import ResolvConf

if TYPE_CHECKING:
    from k8slab.cluster.requests import Answer
    from k8slab.cluster.scale import RuleCost
    from k8slab.cluster.view import View
    from k8slab.cluster.watching import Watching
    from k8slab.cluster.world import Host
    from k8slab.control_plane.scheduler import Explanation
    from k8slab.linux.resolver import Lookup
    from k8slab.linux.ruletrace import RuleTrace


class Askable(Breakable, Protocol):
    """A cluster that can be looked at."""

    @property
    def view(self) -> View:
        """All objects as they are now."""


class Asking:
    """Questions, and their answers."""

    @recorded
    def request(self: Any, /, source: str, url: str, **options: Any) -> Answer:
        """Send one request from inside the cluster and return its whole journey.

        `source` is "pod/NAME", "deployment/NAME", "node/NAME" or "outside"; `url` is
        "http://NAME[:PORT]/PATH", "tcp://...". Options: namespace, timeout (virtual seconds), libc.
        """
        from k8slab.cluster.requests import send

        coroutine = send(self, source, url, **options)
        answer: Answer = self.sim.complete(
            coroutine, f"request from {source} to {url}", COMMAND_LIMIT
        )
        return answer

    @recorded
    def resolve(
        self: Askable,
        name: str,
        *,
        namespace: str = "default",
        ndots: int | None = None,
        libc: str = "glibc",
    ) -> Lookup:
        """Resolve a name as a Pod of the namespace would, and return every query it took.

        The queries are sent by a machine, with the resolv.conf that its kubelet gives such a Pod;
        `ndots` is that of the Pod's dnsConfig, if it has one.
        """
        from k8slab.linux.resolver import lookup

        host = asking_host(self)
        conf = resolv_conf_of(host, namespace, ndots)
        coroutine = lookup(host.machine.net, name, conf, libc=libc)
        return self.sim.complete(coroutine, f"{namespace} resolves {name}", COMMAND_LIMIT)

    def resolv_conf(
        self: Askable, *, namespace: str = "default", ndots: int | None = None
    ) -> ResolvConf:
        """Return the resolv.conf of such a Pod; `str()` of it is the file."""
        return resolv_conf_of(asking_host(self), namespace, ndots)

    @in_turn
    def explain(self: Askable, pod: Pod | Mapping[str, Any] | str) -> Explanation:
        """Say where the scheduler would put a Pod now, node by node and plugin by plugin.

        `pod` is a manifest of one that need not exist, or "pod/NAME"; its own place is left out.
        """
        from k8slab.cluster.why_pod import scheduling_of

        words = isinstance(pod, str) and "\n" not in pod and pod.count("/") in (1, 2)
        found = named(self.view, str(pod)) if words else _as_stored(pod)
        if not isinstance(found, Pod):
            raise TypeError(f"the scheduler places Pods, and {found.kind} is none")
        spec = msgspec.structs.replace(found.spec, nodeName="")
        asked = msgspec.structs.replace(found, spec=spec)
        explanation: Explanation = scheduling_of(self.world, self.view, asked)
        return explanation

    def trace_rules(
        self: Askable,
        rules: str,
        source: str,
        destination: str,
        port: int,
        *,
        protocol: str = "tcp",
        local: tuple[str, ...] = (),
    ) -> RuleTrace:
        """Walk a new connection through the text of iptables-save; nothing changes anywhere.

        `local` are the addresses of the node whose rules these are. Raises ValueError where
        iptables-restore would refuse the text.
        """
        from k8slab.linux.netfilter import parse

        return parse(rules).trace(source, destination, port, protocol, local_addresses=local)

    def cost_of_rules(self: object, services: int, endpoints: int = 3) -> RuleCost:
        """Say how many rules so many Services would be, and how many a connection would meet."""
        from k8slab.cluster.scale import cost_of_rules

        return cost_of_rules(services, endpoints)

    @recorded
    def watch(self: Any, kind: str, namespace: str = "default") -> Watching:
        """List the objects of a kind, then watch them, as every controller does; time passes."""
        from k8slab.cluster.watching import Watching

        watching = Watching(self, kind, namespace)
        self.sim.complete(watching.begin(), f"watch {kind}", COMMAND_LIMIT)
        return watching


def asking_host(cluster: Breakable) -> Host:
    """Return the host that sends a learner's DNS questions: the first worker, if there is one."""
    hosts = cluster.world.hosts
    return next((h for n, h in hosts.items() if n != CONTROL_PLANE), hosts[CONTROL_PLANE])


def resolv_conf_of(host: Host, namespace: str, ndots: int | None = None) -> ResolvConf:
    """Return the resolv.conf that a kubelet there gives an ordinary Pod of the namespace."""
    from k8slab.node.kubelet import resolv_conf

    option = PodDNSConfigOption(name="ndots", value=str(ndots))
    config = None if ndots is None else PodDNSConfig(options=(option,))
    meta = ObjectMeta(name="asking", namespace=namespace)
    pod = Pod(metadata=meta, spec=PodSpec(containers=(), dnsConfig=config))
    own = ResolvConf.parse(str(host.machine.disk.read("/etc/resolv.conf")))
    settings = host.kubelet.config
    servers, domain = settings.cluster_dns, settings.cluster_domain
    return resolv_conf(pod, own, cluster_dns=servers, cluster_domain=domain)


def _as_stored(pod: Pod | Mapping[str, Any] | str) -> Any:
    """Return a Pod as the API server would have stored it: in a namespace, with its defaults."""
    from k8slab.api.codec import load
    from k8slab.control_plane.apiserver import defaults

    found = pod if isinstance(pod, Pod) else load(pod)
    if found.metadata.namespace:
        return defaults.apply(found)
    meta = msgspec.structs.replace(found.metadata, namespace="default")
    return defaults.apply(msgspec.structs.replace(found, metadata=meta))
