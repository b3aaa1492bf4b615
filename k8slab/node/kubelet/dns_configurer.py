"""What a kubelet says about DNS settings: Events of Pods whose lines were cut, and of the node.

The node's own resolv.conf is looked at when it changes, and every 30 s as long as it has more than
a Pod's could take: so the Event of the node is there until somebody does something.

Rule of use: `conf_of` for each new sandbox; the decisions are in dns.py.

Upstream: pkg/kubelet/network/dns/dns.go (Configurer)
"""

from __future__ import annotations

from k8slab.api.core import ObjectReference, Pod
from k8slab.linux.resolv_conf import ResolvConf
from k8slab.node.kubelet.dependencies import Dependencies
from k8slab.node.kubelet.dns import CHECK, host_limits, pod_dns
from k8slab.sim import Timer

WARNING = "Warning"
CHECK_PERIOD = 30.0  # s, kubelet.go: CheckLimitsForResolvConf


class DnsConfigurer:
    """Forms resolv.conf files, and tells what is wrong with them."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._timer: Timer | None = None

    def conf_of(self, pod: Pod) -> ResolvConf:
        """Return the Pod's resolv.conf; what it cannot be is told by Events."""
        deps = self._deps
        formed = pod_dns(
            pod,
            deps.resolv_conf(),
            cluster_dns=deps.config.cluster_dns,
            cluster_domain=deps.config.cluster_domain,
        )
        for event in formed.events:
            if event.of_node:
                self._tell(event.reason, event.of_node)
            deps.recorder.event(pod, WARNING, event.reason, event.message)
        return formed.conf

    def start(self) -> None:
        """Look at the node's own resolv.conf, now and whenever it changes."""
        self._deps.machine.disk.watchers.append(self._disk_changed)
        self._check()

    def stop(self) -> None:
        """Look no more."""
        watchers = self._deps.machine.disk.watchers
        if self._disk_changed in watchers:
            watchers.remove(self._disk_changed)
        self._cancel()

    def _disk_changed(self, path: str) -> None:
        if path.strip("/") == self._deps.config.resolv_conf:
            self._cancel()
            self._timer = self._deps.sim.after(0.0, self._check, "kubelet: resolv.conf")

    def _check(self) -> None:
        """Hold the file against the limits, and once more later if it is too much."""
        config = self._deps.config
        path = f"/{config.resolv_conf}"
        message = host_limits(self._deps.resolv_conf(), path, config.cluster_domain)
        if message:
            self._tell(CHECK, message)
            self._timer = self._deps.sim.after(CHECK_PERIOD, self._check, "kubelet: resolv.conf")

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self, reason: str, message: str) -> None:
        name = self._deps.node_name
        about = ObjectReference(kind="Node", name=name, uid=name)
        self._deps.recorder.event_about(about, WARNING, reason, message)
