"""The loop: watch Services and EndpointSlices, and keep the kernel's rules true to them.

Changes are collected and written together, at most once in `min_sync_period`. A change of one
Service rewrites the chains of that Service only. When the proxier stops, the rules stay.

Rule of use: `await Proxier(...).run()` in the kube-proxy container of each node.

Upstream: pkg/proxy/iptables/proxier.go, cmd/kube-proxy/app/server.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from k8slab.api.core import Node, ObjectReference, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.api.networking import ServiceCIDR
from k8slab.client import Client, EventRecorder, Informers, Latency, key_of
from k8slab.client.learner import ReplacementError
from k8slab.linux.addresses import is_ipv6, is_loopback
from k8slab.linux.netfilter import IptablesError, Ruleset, parse
from k8slab.linux.nft import NftError, NftRuleset
from k8slab.node.kube_proxy.cache import RuleCache
from k8slab.node.kube_proxy.cleanup import clean_iptables, rules_of
from k8slab.node.kube_proxy.config import Config
from k8slab.node.kube_proxy.conntrack import flush_stale
from k8slab.node.kube_proxy.monitor import CanaryMonitor, full_syncs
from k8slab.node.kube_proxy.nftables import TABLE, NftSync, install_nft
from k8slab.node.kube_proxy.proxy_health import ProxyHealthServer
from k8slab.node.kube_proxy.proxy_metrics import ProxyMetrics, serve
from k8slab.node.kube_proxy.render import RuleSync, install
from k8slab.node.kube_proxy.service_health import ServiceHealthServer, health_check
from k8slab.node.kube_proxy.sync import Summary, SyncFailed, view_of
from k8slab.node.kube_proxy.types import IPV4, IPV6, service_of
from k8slab.node.machine import Machine
from k8slab.sim import Signal, Simulation

# What is somebody else's business is not even watched.
SELECTOR = "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name"
CONNTRACK_TIMEOUTS = {  # s, --conntrack-tcp-timeout-established, --conntrack-tcp-timeout-close-wait
    "ESTABLISHED": 86400.0,
    "CLOSE_WAIT": 3600.0,
}

HEALTH_TIMEOUT_PERIODS = 2  # of --iptables-sync-period, after which a waiting change is late

Render = Callable[..., Ruleset | NftRuleset | str]


class Proxier:
    """kube-proxy of one node."""

    def __init__(
        self,
        sim: Simulation,
        client: Client,
        machine: Machine,
        config: Config | None = None,
        *,
        cache: RuleCache | None = None,
        latency: Latency | None = None,
        render: Render | None = None,
    ) -> None:
        """Prepare; `cache` is shared by proxies, `render` replaces ours (see `render.render`)."""
        self.sim = sim
        self.machine = machine
        self.config = config or Config()
        self.name = f"kube-proxy/{machine.name}"
        self.cache = cache or RuleCache()
        self.syncs = self._make_syncs()
        self._latency = latency or Latency()
        self._render = render
        self.metrics = ProxyMetrics(sim)
        late = HEALTH_TIMEOUT_PERIODS * self.config.sync_period
        self.health = ProxyHealthServer(sim, machine, late, lambda: self._node, self.metrics)
        self._service_health = ServiceHealthServer(sim, machine)
        self._informers = Informers(sim, client)
        self._recorder = EventRecorder(sim, client, "kube-proxy", machine.name, limited=False)
        self._changed: dict[str, None] = {}  # keys of Services to look at
        self._node: Node | None = None  # as the API server has it
        self._cause = 0  # of the first of these changes
        self._writing = False  # what is edited meanwhile is our own doing
        self._news = Signal(sim, f"{self.name}: change")

    async def run(self) -> None:
        """Write the rules, and again after every change, for ever."""
        self._prepare_kernel()
        await self._watch()
        self._tell("Normal", "Starting", "")
        for sync in self.syncs:
            self._watch_rules(sync)
        earliest = 0.0
        while True:
            await self._news.wait()
            self.sim.cause = self._cause
            restore = self._latency.iptables_restore
            wait = max(earliest - self.sim.now, 0.0) + restore
            await self.sim.sleep(wait, f"{self.name}: iptables-restore")
            self._sync()
            earliest = self.sim.now - restore + self.config.min_sync_period

    async def serve_metrics(self) -> None:
        """Answer questions about this kube-proxy, for ever."""
        pages = {
            "/metrics": self._metrics_text,
            "/proxyMode": lambda: self.config.mode,
            "/healthz": lambda: "ok",
        }
        await serve(self.sim, self.machine, pages)

    def _make_syncs(self) -> list[RuleSync] | list[NftSync]:
        """Return what keeps the rules of each family that the node has addresses of."""
        node, config = view_of(self.machine.name), self.config
        own = [ip for ip in self.machine.net.local_addresses if not is_loopback(ip)]
        six = {is_ipv6(ip) for ip in own}
        families = [f for f in (IPV4, IPV6) if (f == IPV6) in six] or [IPV4]
        if config.mode == "nftables":
            return [NftSync(node, config, self.cache.versions, family) for family in families]
        return [RuleSync(node, config, self.cache, family) for family in families]

    def _prepare_kernel(self) -> None:
        """Set the sysctls that the rules need, and take away what the other mode left behind."""
        net = self.machine.net
        if self.config.mode == "nftables":
            clean_iptables(net.ruleset)
            clean_iptables(net.ruleset6)
        else:
            for family in ("ip", "ip6"):
                net.nft.delete_table(family, TABLE)
            net.route_localnet = net.route_localnet or self.config.localhost_node_ports
        net.conntrack.timeouts.update(CONNTRACK_TIMEOUTS)

    async def _watch(self) -> None:
        """Return once everything is known: half the endpoints would cut connections."""
        informers = self._informers
        self._services = informers.informer(Service, labels=SELECTOR)
        self._slices = informers.informer(EndpointSlice, labels=SELECTOR)
        self._nodes = informers.informer(Node, fields=f"metadata.name={self.machine.name}")
        self._slices.add_index("service", lambda each: (service_of(each),))
        await informers.wait_for_sync()
        self._nodes.add_handler(self._on_node)
        self._services.add_handler(self._on_service)
        self._slices.add_handler(self._on_slice)
        if self.config.mode == "nftables":
            self._cidrs = informers.informer(ServiceCIDR)
            await informers.wait_for_sync()
            self._cidrs.add_handler(self._on_service_cidr)
        self._change("")  # the rules must be there even if there is no Service

    # -- hearing of changes

    def _on_service(self, old: Service | None, new: Service | None) -> None:
        changed = new or old
        if changed is not None:
            self.metrics.count("sync_proxy_rules_service_changes_total")
            self._change(key_of(changed))

    def _on_slice(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        changed = new or old
        if changed is not None and (key := service_of(changed)):
            self.metrics.count("sync_proxy_rules_endpoint_changes_total")
            self._change(key)

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        self._node = new
        if new is None:
            return
        # Of what may change, only what the configuration asks for counts.
        config, view = self.config, view_of(new)
        own = self.machine.net.local_addresses if config.node_port_addresses else ()
        cidrs = view.pod_cidrs if config.detect_local_mode == "NodeCIDR" else ()
        view = msgspec.structs.replace(view, addresses=own, pod_cidrs=cidrs)
        if view != self.syncs[0].node:
            for sync in self.syncs:
                sync.set_node(view)
            self._change("")

    def _on_service_cidr(self, old: ServiceCIDR | None, new: ServiceCIDR | None) -> None:
        ranges = [cidr for each in self._cidrs.all() for cidr in each.spec.cidrs]
        for sync in self.syncs:
            if isinstance(sync, NftSync):
                six = sync.family == IPV6
                sync.service_cidrs = tuple(cidr for cidr in ranges if is_ipv6(cidr) == six)
        self._change("")

    def _change(self, key: str) -> None:
        if not self._changed:
            self._cause = self.sim.cause
            for sync in self.syncs:
                self.health.queued(sync.family)
                name = "sync_proxy_rules_last_queued_timestamp_seconds"
                self.metrics.set_to_now(name, ip_family=sync.family)
        self._changed[key] = None
        self._news.set()

    # -- writing rules

    def _sync(self) -> None:
        changed, self._changed = self._changed, {}
        self._news = Signal(self.sim, f"{self.name}: change")
        for sync in self.syncs:
            for key in changed:
                if key:
                    sync.set_service(key, *self._objects(key))
            self._apply(sync)
        self._sync_health(changed)

    def _apply(self, sync: RuleSync | NftSync) -> None:
        """Write the rules of one family; if the kernel does not take them, try later anew."""
        self._writing = True
        try:
            self._write(sync)
        except SyncFailed as error:
            self.sim.trace.add(self.name, "fail", "rules", str(error))
            what = "nftables_sync" if isinstance(sync, NftSync) else "iptables_partial_restore"
            self.metrics.count(f"sync_proxy_rules_{what}_failures_total", ip_family=sync.family)
            sync.start_over()
            self.sim.spawn(self._retry(), f"{self.name}: retry")
        finally:
            self._writing = False

    async def _retry(self) -> None:
        await self.sim.sleep(self.config.sync_period, f"{self.name}: retry")
        self._change("")

    def _write(self, sync: RuleSync | NftSync) -> None:
        net, full = self.machine.net, sync.is_full
        if self._render is not None and sync.family == IPV4:
            try:
                summary = self._install(self._render)
            except (ReplacementError, IptablesError, NftError) as error:
                return self._tell("Warning", "FailedRules", str(error))
        elif isinstance(sync, NftSync):
            summary = sync.apply(net.nft)
        else:
            summary = sync.apply(self._ruleset(sync))
        updated = [(each.port, each.endpoints) for each in sync.updated_ports]
        sync.updated_ports.clear()
        flush_stale(net.conntrack, updated)
        self.health.updated(sync.family)
        family, took = sync.family, self._latency.iptables_restore
        kind = "full" if full else "partial"
        self.metrics.observe(f"sync_{kind}_proxy_rules_duration_seconds", took, ip_family=family)
        self.metrics.set_to_now("sync_proxy_rules_last_timestamp_seconds", ip_family=family)
        if summary.changed:
            family = f"{IPV6}: " if sync.family == IPV6 else ""
            self.sim.trace.add(self.name, "sync", "rules", f"{family}{summary}")

    def _metrics_text(self) -> str:
        name = "sync_proxy_rules_iptables_total"
        for sync in self.syncs if self.config.mode == "iptables" else ():
            rules = self.machine.net.ruleset6 if sync.family == IPV6 else self.machine.net.ruleset
            for table in ("filter", "nat"):
                count = rules_of(rules, table)
                self.metrics.set(name, count, ip_family=sync.family, table=table)
        return self.metrics.text()

    # -- rules that others change

    def _watch_rules(self, sync: RuleSync | NftSync) -> None:
        """Watch out for others who change the rules of one family."""
        rules = self.machine.net.nft if isinstance(sync, NftSync) else self._ruleset(sync)

        def edited() -> bool:
            sync.edited = sync.edited or not self._writing
            return sync.edited

        async def reload(why: str) -> None:
            self.sim.trace.add(self.name, "reload", "rules", why)
            await self.sim.sleep(self._latency.iptables_restore, f"{self.name}: iptables-restore")
            sync.start_over()
            self._apply(sync)

        hourly = full_syncs(self.sim, self.name, rules.edits, edited, reload)
        self.sim.spawn(hourly, f"{self.name}: full syncs")
        if isinstance(rules, Ruleset):
            monitor = CanaryMonitor(self.sim, self.name, rules, self.config.sync_period, reload)
            self.sim.spawn(monitor.run(), f"{self.name}: iptables monitor")

    def _ruleset(self, sync: RuleSync) -> Ruleset:
        return self.machine.net.ruleset6 if sync.family == IPV6 else self.machine.net.ruleset

    def _objects(self, key: str) -> tuple[Service | None, list[EndpointSlice]]:
        """Return the Service and its slices, in the order of their names."""
        slices = self._slices.by_index("service", key)
        slices.sort(key=lambda each: each.metadata.name)
        return self._services.by_key(key), slices

    def _sync_health(self, changed: Iterable[str]) -> None:
        """Tell load balancers about the endpoints here, now that the rules lead to them."""
        for key in changed:
            if not key:
                continue
            service, slices = self._objects(key)
            check = health_check(service, slices, self.machine.name)
            failure = self._service_health.sync(key, check)
            if failure and service is not None and check is not None:
                self._recorder.event(
                    service,
                    "Warning",
                    "FailedToStartServiceHealthcheck",
                    f'node {self.machine.name} failed to start healthcheck "{key}" '
                    f"on port {check.port}: {failure}",
                )

    def _tell(self, type_: str, reason: str, message: str) -> None:
        # A node's Events name it by its name in the place of its uid: so upstream does.
        about = ObjectReference(kind="Node", name=self.machine.name, uid=self.machine.name)
        self._recorder.event_about(about, type_, reason, message)

    def _install(self, render: Render) -> Summary:
        """Write what somebody else's `render` says the rules are."""
        node = self._node or self.machine.name
        rules = render(self._services.all(), self._slices.all(), node=node, config=self.config)
        if isinstance(rules, NftRuleset) or self.config.mode == "nftables":
            return install_nft(rules, self.machine.net.nft)
        return install(parse(rules) if isinstance(rules, str) else rules, self.machine.net.ruleset)
