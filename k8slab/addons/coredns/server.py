"""CoreDNS as a program: it reads its Corefile, answers on port 53, and says how it is.

Questions come as real DNS messages over UDP and TCP, through the network of its Pod. Kubernetes
asks /health (port 8080) whether it lives and /ready (8181) whether it knows the cluster yet. On
SIGTERM it goes on serving for the lameduck time: clients still have its address.

Rule of use: `await CoreDNS(process, client, upstream).run()` as the program of the container.

Upstream: coredns coremain/run.go, core/dnsserver/server.go, plugin/{health,ready,reload}
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping, Sequence

from k8slab.addons.coredns.corefile import CorefileError, Plugin, ServerBlock, parse
from k8slab.addons.coredns.http import serve_text
from k8slab.addons.coredns.kubernetes import Config, LookUp, look_up
from k8slab.addons.coredns.listeners import serve_tcp, serve_udp
from k8slab.addons.coredns.names import is_in
from k8slab.addons.coredns.plugins import Chain, Surroundings, config_of
from k8slab.addons.coredns.process import Process, Upstream, UpstreamZone
from k8slab.addons.coredns.records import REFUSED, SERVFAIL, Answer, Source
from k8slab.addons.coredns.source import InformerSource
from k8slab.client import Client
from k8slab.client.learner import ReplacementError
from k8slab.linux.errors import AddressInUse
from k8slab.linux.tcp_open import Listener
from k8slab.linux.udp import UdpSocket
from k8slab.sim import Signal, Task

VERSION = "1.14.6"
DEFAULT_COREFILE = "/etc/coredns/Corefile"
SYNC_TIMEOUT = 5.0  # s, plugin/kubernetes: the server starts even without the API
RELOAD_PERIOD = 30.0  # s, plugin/reload: how often the Corefile is read again
HEALTH_PORT, READY_PORT, METRICS_PORT = 8080, 8181, 9153


class CoreDNS:
    """One instance of the DNS server."""

    def __init__(
        self,
        process: Process,
        client: Client,
        upstream: Upstream | MutableMapping[str, Sequence[str]] | None = None,
        look_up: LookUp = look_up,
    ) -> None:
        """Prepare; `upstream` answers for the world outside (a mapping: name to addresses).

        `look_up` answers for the cluster, as `kubernetes.look_up` does.
        """
        self.process = process
        self.sim = process.sim
        self.client = client
        if upstream is None or isinstance(upstream, MutableMapping):
            upstream = UpstreamZone(upstream)
        self.upstream: Upstream = upstream
        self._look_up = look_up
        self.requests: dict[tuple[str, str], int] = {}  # by type and rcode
        self.chains: list[Chain] = []
        self.source: InformerSource | None = None
        self._text = ""
        self._blocks: tuple[ServerBlock, ...] = ()
        self._sockets: list[UdpSocket | Listener] = []  # of the present Corefile
        self._failed = False

    async def run(self) -> int:
        """Serve until SIGTERM and return the exit code."""
        self.process.handle_sigterm()
        try:
            self._text = self._read()
            self._blocks = parse(self._text, self._path)
        except (CorefileError, FileNotFoundError) as error:
            self.process.log(f"{error}")
            return 1
        await self._learn()
        try:
            self._start()
        except AddressInUse as error:
            self.process.log(f"Listen: listen tcp {error.detail}: bind: address already in use")
            return 1
        self._greet()
        if self._plugin("reload") is not None:
            self.sim.spawn(self._reload(), f"{self.process.name}: reload", self.process.group)
        await self.process.terminated.wait()
        if self._failed:
            return 1
        self.process.log("[INFO] SIGTERM: Shutting down servers then terminating")
        await self._lameduck()
        return 0

    # -- starting

    @property
    def _path(self) -> str:
        args = self.process.args
        return args[args.index("-conf") + 1] if "-conf" in args else DEFAULT_COREFILE

    def _read(self) -> str:
        folder, rest = self.process.folder(self._path)
        return str(folder.read(rest))

    async def _learn(self) -> None:
        """Wait for the cluster's objects, but not for ever: other names can be answered."""
        configs = [config for block in self._blocks if (config := config_of(block)) is not None]
        if not configs:
            return
        verified = any(config.pods == "verified" for config in configs)
        if self.source is not None and verified in (False, self.source.knows_pods):
            return
        self.source = InformerSource(self.sim, self.client, pods=verified)
        sync = self.sim.spawn(self.source.wait_for_sync(), f"{self.process.name}: sync")
        if not await self._synced(sync, 0.5):
            self.process.log(
                "[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server"
            )
            if not await self._synced(sync, SYNC_TIMEOUT - 0.5):
                self.process.log(
                    "[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API"
                )

    async def _synced(self, sync: Task[None], timeout: float) -> bool:
        if not sync.done:
            done = Signal(self.sim, f"{self.process.name}: synced")
            sync.on_done(done.set)
            await done.wait(timeout)
        return sync.done

    def _start(self) -> None:
        """Open the ports of every server block and plugin."""
        around = Surroundings(
            self.process, self.source, self.upstream, self._answer, self.resolve, self._fatal
        )
        self.chains = [Chain(block, around) for block in self._blocks]
        for port in dict.fromkeys(block.port for block in self._blocks):
            self._sockets.append(serve_udp(self, port))
            self._sockets.append(serve_tcp(self, port))
        for chain in self.chains:
            if any(forwarder.stays_inside for forwarder in chain.forwarders):
                chain.loop.start()
        for name, port, page in (
            ("health", HEALTH_PORT, self._health),
            ("ready", READY_PORT, self._ready),
            ("prometheus", METRICS_PORT, self._metrics),
        ):
            if self._plugin(name) is not None:
                self._sockets.append(serve_text(self.process, self._port(name, port), page))

    def chain_for(self, port: int, name: str) -> Chain | None:
        """Return the server block with the longest zone that the name is in, None without one."""
        found = [
            (len(zone) if zone != "." else 0, chain)
            for chain in self.chains
            if chain.block.port == port
            for zone in chain.block.zones
            if is_in(name, zone)
        ]
        return max(found, key=lambda each: each[0])[1] if found else None

    async def resolve(self, name: str, qtype: str) -> Answer:
        """Return what the server itself says to a question, as plugins ask it for CNAMEs."""
        chain = self.chain_for(self._blocks[0].port, name)
        return (await chain.answer(name, qtype))[0] if chain is not None else Answer(REFUSED)

    def _fatal(self, message: str) -> None:
        if not self._failed:
            self._failed = True
            self.process.log(message)
            self._stop()
            self.process.terminated.set()

    def _answer(self, name: str, qtype: str, source: Source, config: Config) -> Answer:
        """Look a name up; whatever a learner's way of doing so gets wrong is a failure of ours."""
        try:
            return self._look_up(name, qtype, source, config)
        except ReplacementError as error:
            self.process.log(f"[ERROR] plugin/kubernetes: {error}")
            return Answer(SERVFAIL)

    def _greet(self) -> None:
        for block in self._blocks:
            for zone in block.zones:
                self.process.log(f"{zone}:{block.port}")
        if self._plugin("reload") is not None:
            self._log_checksum()
        self.process.log(f"CoreDNS-{VERSION}")
        self.process.log("linux/amd64, go1.26.0, k8slab")

    # -- ending

    async def _lameduck(self) -> None:
        health = self._plugin("health")
        words = health.values("lameduck") if health is not None else None
        if words:
            self.process.log(f"[INFO] plugin/health: Going into lameduck mode for {words[0]}")
            await self.sim.sleep(_seconds(words[0]), f"{self.process.name}: lameduck")
        self._stop()

    def _stop(self) -> None:
        for socket in self._sockets:
            socket.close()
        self._sockets = []

    # -- a new Corefile

    async def _reload(self) -> None:
        while True:
            await self.sim.sleep(self._reload_period, f"{self.process.name}: reload")
            try:
                text = self._read()
                blocks = parse(text, self._path)
            except (CorefileError, FileNotFoundError) as error:
                self.process.log(
                    f"[ERROR] plugin/reload: Corefile changed but reload failed: {error}"
                )
                continue
            if text == self._text:
                continue
            self.process.log("[INFO] Reloading")
            self._text, self._blocks = text, blocks
            await self._learn()
            self._stop()
            self._start()
            self._log_checksum()
            self.process.log("[INFO] Reloading complete")

    @property
    def _reload_period(self) -> float:
        plugin = self._plugin("reload")
        return _seconds(plugin.args[0]) if plugin is not None and plugin.args else RELOAD_PERIOD

    def _log_checksum(self) -> None:
        checksum = hashlib.sha512(self._text.encode()).hexdigest()
        self.process.log(f"[INFO] plugin/reload: Running configuration SHA512 = {checksum}")

    # -- what it says of itself

    def _health(self) -> tuple[int, str]:
        return 200, "OK"

    def _ready(self) -> tuple[int, str]:
        if self.source is not None and not self.source.synced:
            return 503, "kubernetes"
        return 200, "OK"

    def _metrics(self) -> tuple[int, str]:
        lines = [f'coredns_build_info{{version="{VERSION}"}} 1']
        totals: dict[str, int] = {}
        for (qtype, _), count in self.requests.items():
            totals[qtype] = totals.get(qtype, 0) + count
        lines += [f'coredns_dns_requests_total{{type="{t}"}} {n}' for t, n in totals.items()]
        lines += [
            f'coredns_dns_responses_total{{type="{qtype}",rcode="{rcode}"}} {count}'
            for (qtype, rcode), count in self.requests.items()
        ]
        lines.append(f"coredns_cache_hits_total {sum(chain.hits for chain in self.chains)}")
        return 200, "\n".join(lines) + "\n"

    # -- the Corefile

    def _plugin(self, name: str) -> Plugin | None:
        return next((found for block in self._blocks if (found := block.plugin(name))), None)

    def _port(self, name: str, default: int) -> int:
        plugin = self._plugin(name)
        word = plugin.args[0] if plugin is not None and plugin.args else ""
        return int(word.rpartition(":")[2]) if word.rpartition(":")[2].isdigit() else default


def _seconds(text: str) -> float:
    """Return the seconds of a duration such as 5s or 500ms."""
    number = float(text.rstrip("smh") or 0)
    if text.endswith("ms"):
        return number / 1000
    return number * {"m": 60.0, "h": 3600.0}.get(text[-1:], 1.0)
