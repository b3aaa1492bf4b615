"""node-cache: a CoreDNS on every node that remembers answers, in front of the cluster's own.

It takes the very address that Pods ask already, 10.96.0.10, and catches the packets on the node:

    ip link add nodelocaldns type dummy          the node itself owns 169.254.20.10 and 10.96.0.10
    iptables -t raw -A PREROUTING -d 10.96.0.10 -p udp --dport 53 -j NOTRACK      and eleven more

What is not tracked is not translated: kube-proxy's rules for 10.96.0.10 find no connection to
act on, the packet is for a local address, and the program that listens there gets it. So the
node's conntrack table has no entry for any question (many short UDP flows are what fills it), and
what the cache knows does not leave the node. What it does not know it asks of a second Service over
the same CoreDNS Pods, `kube-dns-upstream`: by TCP, whose packets are sent again when they are lost.

A program that is killed takes neither device nor rules with it: until its container has started
again, no Pod of the node has an answer.

Rule of use: `rules` is pure; `NodeCache.run` is the program of the container.

Upstream: kubernetes/dns cmd/node-cache (main.go, app/cache_app.go, app/configmap.go)
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping, Sequence
from typing import Any

from k8slab.addons.coredns.names import is_ip
from k8slab.addons.coredns.process import Process, Upstream
from k8slab.addons.coredns.server import CoreDNS
from k8slab.client import Client
from k8slab.linux.addresses import is_ipv6

VERSION = "1.26.4"
PORT, HEALTH_PORT = 53, 8080
SYNC_INTERVAL = 60.0  # s, -syncinterval: how often device and rules are looked at
CONFIG_SYNC = 10.0  # s, how often the ConfigMaps are read again
PIDFILE_TRIES = 5  # one a second, until CoreDNS has started
CLUSTER_DNS = "__PILLAR__CLUSTER__DNS__"
UPSTREAM_SERVERS = "__PILLAR__UPSTREAM__SERVERS__"
LOCAL_DNS = "__PILLAR__LOCAL__DNS__"
DNS_SERVER = "__PILLAR__DNS__SERVER__"

STUB_BLOCK = """
{}:53 {{
    errors
    cache 30
    bind {ips}
    forward . {servers}
}}
"""
Rule = tuple[str, str, str]  # table, chain, rule


class FlagError(ValueError):
    """A flag of the command line is not right."""


def rules(ip: str) -> tuple[Rule, ...]:
    """Return the rules that keep questions to an address, and their answers, untracked.

    >>> print(*rules("169.254.20.10")[1])
    raw PREROUTING -p udp -d 169.254.20.10 --dport 53 -j NOTRACK
    """
    found: list[Rule] = []
    for table, chain, side, target in (
        ("raw", "PREROUTING", "d", "NOTRACK"),  # from Pods
        ("filter", "INPUT", "d", "ACCEPT"),
        ("raw", "OUTPUT", "s", "NOTRACK"),  # answers
        ("filter", "OUTPUT", "s", "ACCEPT"),
        ("raw", "OUTPUT", "d", "NOTRACK"),  # from the node itself
    ):
        for protocol in ("tcp", "udp"):
            flow = f"-p {protocol} -{side} {ip} --{side}port {PORT}"
            found.append((table, chain, f"{flow} -j {target}"))
    for side in ("d", "s"):  # the kubelet's liveness probe
        flow = f"-p tcp -{side} {ip} --{side}port {HEALTH_PORT}"
        found.append(("raw", "OUTPUT", f"{flow} -j NOTRACK"))
    return tuple(found)


class NodeCache:
    """The program: device, rules, Corefile, and a CoreDNS."""

    def __init__(
        self,
        process: Process,
        client: Client,
        upstream: Upstream | MutableMapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Prepare; `client` and `upstream` are those of the CoreDNS inside."""
        self._process = process
        self._sim = process.sim
        self._server = CoreDNS(process, client, upstream)
        self._ips: tuple[str, ...] = ()
        self._corefile = ""

    async def run(self) -> int:
        """Serve until SIGTERM, take everything back, and return the exit code."""
        self._process.log(f"[INFO] Starting node-cache image: {VERSION}")
        try:
            self._ips = self._local_ips()
        except FlagError as error:
            self._process.log(f"[FATAL] Error parsing flags - {error}, Exiting")
            return 1
        self._process.log(f"[INFO] Using Corefile {self._flag('conf')}")
        self._process.log(f"[INFO] Using Pidfile {self._flag('pidfile')}")
        self._update_corefile()
        self._ensure_device()
        group, name = self._process.group, self._process.name
        self._sim.spawn(self._keep_rules(), f"{name}: networking", group)
        self._sim.spawn(self._keep_corefile(), f"{name}: configuration", group)
        code = await self._server.run()
        self._tear_down()
        return code

    # -- flags

    def _flag(self, name: str, default: str = "") -> str:
        words = list(self._process.args)
        for place, word in enumerate(words):
            key, equals, value = word.lstrip("-").partition("=")
            if key == name and word.startswith("-"):
                return value if equals else words[place + 1]
        return default

    def _local_ips(self) -> tuple[str, ...]:
        ips = tuple(self._flag("localip").split(","))
        for ip in ips:
            if not is_ip(ip):
                raise FlagError(f'invalid localip specified - "{ip}"')
            if is_ipv6(ip) != is_ipv6(ips[0]):
                want = str(is_ipv6(ips[0])).lower()
                raise FlagError(f'unexpected IP Family for localIP - "{ip}", want IPv6={want}')
        return ips

    # -- the node's network

    @property
    def _device(self) -> str:
        return self._flag("interfacename", "nodelocaldns")

    async def _keep_rules(self) -> None:
        """Add the rules once CoreDNS listens, and add back what somebody has taken away."""
        for _ in range(PIDFILE_TRIES):
            await self._sim.sleep(1.0, "node-cache: pidfile")
            if self._server.started:
                self._ensure_rules()
                break
        else:
            self._process.log(
                "[WARNING] timed out waiting for pidfile, networking setup will delay"
            )
        while True:
            await self._sim.sleep(SYNC_INTERVAL, "node-cache: networking")
            self._ensure_rules()
            self._ensure_device()

    def _ensure_rules(self) -> None:
        if self._flag("setupiptables") == "false":
            return
        net = self._process.net
        ruleset = net.ruleset6 if is_ipv6(self._ips[0]) else net.ruleset
        for ip in self._ips:
            for table, chain, rule in rules(ip):
                if not ruleset.ensure_rule(table, chain, rule, prepend=True):
                    words = f"{{{table} {chain} [{rule}]}}"
                    self._process.log(f"[INFO] Added back nodelocaldns rule - {words}")

    def _ensure_device(self) -> None:
        net = self._process.net
        if self._device not in net.interfaces:
            length = 128 if is_ipv6(self._ips[0]) else 32
            net.add_dummy(self._device, *(f"{ip}/{length}" for ip in self._ips))
            self._process.log(f"[INFO] Added interface - {self._device}")

    def _tear_down(self) -> None:
        """Give the address back to kube-proxy's rules: Pods go on asking the cluster's CoreDNS."""
        self._process.log("[INFO] Tearing down")
        if self._flag("skipteardown") == "true":
            return
        net = self._process.net
        net.remove(self._device)
        ruleset = net.ruleset6 if is_ipv6(self._ips[0]) else net.ruleset
        for ip in self._ips:
            for each in rules(ip):
                ruleset.delete_rule(*each)

    # -- the Corefile

    async def _keep_corefile(self) -> None:
        """Write the Corefile anew when its template or the kube-dns ConfigMap changes."""
        while True:
            await self._sim.sleep(CONFIG_SYNC, "node-cache: configuration")
            self._update_corefile()

    def _update_corefile(self) -> None:
        base = self._flag("basecorefile", "/etc/coredns/Corefile.base")
        text = self._read(base)
        if text is None:
            words = f"open {base}: no such file or directory"
            self._process.log(f"[ERROR] Failed to read node-cache coreFile {base} - {words}")
            return
        stubs = self._setting("stubDomains", {})
        servers = " ".join(self._setting("upstreamNameservers", [])) or "/etc/resolv.conf"
        corefile = self._filled(text, servers) + "".join(
            STUB_BLOCK.format(zone, ips=" ".join(self._ips), servers=" ".join(stubs[zone]))
            for zone in stubs
        )
        if corefile == self._corefile:
            return
        self._corefile = corefile
        folder, rest = self._process.folder(self._flag("conf", "/etc/Corefile"))
        folder.write(rest, corefile)
        self._process.log(
            f"[INFO] Updated Corefile with {len(stubs)} custom stubdomains "
            f"and upstream servers {servers}"
        )
        self._process.log(f"[INFO] Using config file:\n{corefile}")

    def _filled(self, text: str, servers: str) -> str:
        """Return the template with the addresses of this cluster in it."""
        name = self._flag("upstreamsvc", "kube-dns").upper().replace("-", "_")
        cluster = self._process.env.get(f"{name}_SERVICE_HOST", "")
        if not cluster:
            variable = f"${name}_SERVICE_HOST"
            self._process.log(
                f"[WARNING] Unable to lookup IP address of Upstream service "
                f"{self._flag('upstreamsvc', 'kube-dns')}, env {variable} ``"
            )
        for pillar, value in (
            (UPSTREAM_SERVERS, servers),
            (CLUSTER_DNS, cluster),
            (LOCAL_DNS, " ".join(self._ips)),
            (DNS_SERVER, ""),
        ):
            text = text.replace(pillar, value)
        return text

    def _setting(self, name: str, default: Any) -> Any:
        """Return what the kube-dns ConfigMap says, which is there in few clusters."""
        text = self._read(f"{self._flag('kubednscm', '/etc/kube-dns')}/{name}")
        return json.loads(text) if text else default

    def _read(self, path: str) -> str | None:
        try:
            folder, rest = self._process.folder(path)
            return str(folder.read(rest))
        except FileNotFoundError:
            return None
