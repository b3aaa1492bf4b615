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

from k8slab.addons.coredns.chain import Chain
from k8slab.addons.coredns.corefile import CorefileError, ServerBlock, Wrong, parse
from k8slab.addons.coredns.http import serve_text
from k8slab.addons.coredns.kubernetes import LookUp, look_up
from k8slab.addons.coredns.listeners import serve_tcp, serve_udp
from k8slab.addons.coredns.metrics import page as metrics_page
from k8slab.addons.coredns.names import is_in
from k8slab.addons.coredns.plugin import Failure, Request, Site
from k8slab.addons.coredns.plugins.kubernetes import config_of
from k8slab.addons.coredns.process import VERSION, Process, Upstream, UpstreamZone
from k8slab.addons.coredns.records import REFUSED, Answer
from k8slab.addons.coredns.settings import ANY, Place, Settings, settings_of
from k8slab.addons.coredns.source import InformerSource
from k8slab.api.duration import go_duration
from k8slab.client import Client
from k8slab.linux.errors import AddressInUse, AddressNotAvailable
from k8slab.linux.tcp_open import Listener
from k8slab.linux.udp import UdpSocket
from k8slab.sim import Signal, Task

DEFAULT_COREFILE = "/etc/coredns/Corefile"
SYNC_TIMEOUT = 5.0  # s, plugin/kubernetes: the server starts even without the API


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
        self.chains: tuple[Chain, ...] = ()
        self.source: InformerSource | None = None
        self._text = ""
        self._settings = Settings()
        self._sockets: list[UdpSocket | Listener] = []  # of the present Corefile
        self._failed = False
        self.started = False  # whether it listens

    async def run(self) -> int:
        """Serve until SIGTERM and return the exit code."""
        self.process.handle_sigterm()
        try:
            self._text = self._read(self._path)
            await self._set_up(self._text)
            self._start()
        except FileNotFoundError:
            words = f"open {self._path}: no such file or directory"
            self.process.log(f"loading Caddyfile via flag: {words}")
            return 1
        except CorefileError as error:
            self.process.log(f"{error}")
            return 1
        self.started = True
        self._greet()
        if self._settings.reload is not None:
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

    def _read(self, path: str) -> str:
        folder, rest = self.process.folder(path)
        return str(folder.read(rest))

    async def _set_up(self, text: str) -> None:
        """Make the chains and settings of a Corefile. Raises CorefileError."""
        blocks = parse(text, self._path, self._read, self.process.env)
        settings = settings_of(blocks)
        await self._learn(blocks)
        self.chains = tuple(Chain(block, self._site(block)) for block in blocks)
        self._settings = settings

    def _site(self, block: ServerBlock) -> Site:
        return Site(
            block,
            self.process,
            self.source,
            self.upstream,
            self._look_up,
            self.resolve,
            self._fatal,
        )

    async def _learn(self, blocks: Sequence[ServerBlock]) -> None:
        """Wait for the cluster's objects, but not for ever: other names can be answered."""
        stanzas = [(each, block.zones) for block in blocks for each in block.stanzas("kubernetes")]
        if not stanzas:
            return
        try:
            verified = any(config_of(*each).pods == "verified" for each in stanzas)
        except Wrong as error:
            raise CorefileError(f"plugin/kubernetes: {error}") from None
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
        """Open the ports of every server block and plugin. Raises CorefileError."""
        places = dict.fromkeys(place for chain in self.chains for place in _places(chain))
        try:
            for place in places:
                self._sockets.append(serve_tcp(self, place))
                self._sockets.append(serve_udp(self, place))
            for where, path, page in (
                (self._settings.health, "/health", self._health),
                (self._settings.ready, "/ready", self._ready),
                (self._settings.metrics, "/metrics", lambda: (200, metrics_page(self))),
            ):
                if where is not None:
                    self._sockets.append(serve_text(self.process, where, path, page))
        except (AddressInUse, AddressNotAvailable) as error:
            self._stop()
            taken = error.detail.removeprefix(ANY)
            words = f"Listen: listen tcp {taken}: bind: {error.words.lower()}"
            raise CorefileError(words) from None
        for chain in self.chains:
            if any(forwarder.stays_inside for forwarder in chain.forwarders):
                for loop in chain.loops:
                    loop.start("" if chain.hosts[0] == ANY else chain.hosts[0])

    def chain_for(self, place: Place, name: str) -> Chain | None:
        """Return the server block with the longest zone that the name is in, None without one."""
        found = [
            (len(zone) if zone != "." else 0, chain)
            for chain in self.chains
            if place[0] in chain.hosts
            for zone, port in chain.block.keys
            if port == place[1] and is_in(name, zone)
        ]
        return max(found, key=lambda each: each[0])[1] if found else None

    async def resolve(self, request: Request) -> Answer:
        """Return what the server itself says to a question, as plugins ask it for CNAMEs."""
        place = next(place for chain in self.chains for place in _places(chain))
        chain = self.chain_for(place, request.name)
        if chain is None:
            return Answer(REFUSED)
        try:
            return await chain.serve(request)
        except Failure as failure:
            return Answer(failure.rcode)

    def _fatal(self, message: str) -> None:
        if not self._failed:
            self._failed = True
            self.process.log(message)
            self._stop()
            self.process.terminated.set()

    def _greet(self) -> None:
        for chain in self.chains:
            for host, port in _places(chain):
                for zone, _ in (key for key in chain.block.keys if key[1] == port):
                    on = "" if host == ANY else f" on {host}"
                    self.process.log(f"{zone}:{port}{on}")
        if self._settings.reload is not None:
            self._log_checksum()
        self.process.log(f"CoreDNS-{VERSION}")
        self.process.log("linux/amd64, go1.26.0, k8slab")
        for name in dict.fromkeys(name for chain in self.chains for name in chain.left_out):
            self.process.log(f"[WARNING] plugin/{name}: the lab reads it and does nothing with it")

    # -- ending

    async def _lameduck(self) -> None:
        if seconds := self._settings.lameduck:
            words = f"Going into lameduck mode for {go_duration(seconds)}"
            self.process.log(f"[INFO] plugin/health: {words}")
            await self.sim.sleep(seconds, f"{self.process.name}: lameduck")
        self._stop()

    def _stop(self) -> None:
        for socket in self._sockets:
            socket.close()
        self._sockets = []

    # -- a new Corefile

    async def _reload(self) -> None:
        while self._settings.reload is not None:
            await self.sim.sleep(self._reload_period(), f"{self.process.name}: reload")
            try:
                text = self._read(self._path)
                if text == self._text:
                    continue
                self.process.log("[INFO] Reloading")
                self._text = text
                await self._set_up(text)
            except (CorefileError, FileNotFoundError) as error:
                self.process.log(f"[ERROR] Restart failed: {error}")
                self.process.log(
                    f"[ERROR] plugin/reload: Corefile changed but reload failed: {error}"
                )
                continue
            self._stop()
            try:
                self._start()
            except CorefileError as error:
                self._fatal(f"{error}")
                return
            if self._settings.reload is not None:
                self._log_checksum()
            self.process.log("[INFO] Reloading complete")

    def _reload_period(self) -> float:
        """Return when to look next, a little different for every server (seconds)."""
        period = self._settings.reload or 0.0
        jitter = min(self._settings.jitter, period / 2)
        rng = self.sim.streams.rng(f"reload/{self.process.hostname}")
        return period + (rng.random() - 0.5) * jitter

    def _log_checksum(self) -> None:
        checksum = hashlib.sha512(self._text.encode()).hexdigest()
        self.process.log(f"[INFO] plugin/reload: Running configuration SHA512 = {checksum}")

    # -- what it says of itself

    def _health(self) -> tuple[int, str]:
        return 200, "OK"

    def _ready(self) -> tuple[int, str]:
        if self.process.terminated.is_set:
            return 503, "Shutting down"
        if self.source is not None and not self.source.synced:
            return 503, "kubernetes"
        return 200, "OK"


def _places(chain: Chain) -> list[Place]:
    """Return the addresses and ports at which a server block is reached."""
    ports = dict.fromkeys(port for _, port in chain.block.keys)
    return [(host, port) for host in chain.hosts for port in ports]
