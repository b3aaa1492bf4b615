"""The data plane: takes requests on its ports, and sends each to an endpoint of its rule's backend.

The backend sees the proxy's address as its client; who asked is in X-Forwarded-For. Endpoints take
turns, request by request. One that refuses or says nothing is passed over for the next.

    no rule                    404      no ready endpoint            503
    endpoints that refuse      502      endpoints that say nothing   504
    a backend that must not be used or does not exist (Gateway API)  500

Rule of use: the controller puts a new `table` in when objects change; connections stay.

Upstream: ingress-nginx rootfs/etc/nginx/template/nginx.tmpl, lua/balancer/round_robin.lua
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from k8slab.addons.ingress.endpoints import Target
from k8slab.addons.ingress.filters import (
    changed_headers,
    error_page,
    header,
    host_of,
    redirected,
    rewritten,
    with_header,
    without,
)
from k8slab.addons.ingress.routing import Asked, Backend, Rule, Table
from k8slab.api.meta import EPOCH
from k8slab.linux import http
from k8slab.linux.errors import ConnectionRefused, NetworkError, TimedOut
from k8slab.linux.netns import NetNamespace
from k8slab.linux.tcp_open import Listener
from k8slab.sim import Group, Simulation

CONNECT_TIMEOUT = 5.0  # s, proxy_connect_timeout
READ_TIMEOUT = 60.0  # s, proxy_read_timeout
TRIES = 3  # proxy_next_upstream_tries
NOT_REPEATED = ("POST", "PATCH", "LOCK")
HOP_BY_HOP = ("Connection", "Keep-Alive", "Upgrade", "Transfer-Encoding")


class Process(Protocol):
    """The part of a container's process that the proxy uses."""

    sim: Simulation
    name: str
    args: tuple[str, ...]
    hostname: str
    net: NetNamespace
    group: Group

    def log(self, line: str) -> None:
        """Print a line."""

    def error(self, line: str) -> None:
        """Print a line to stderr."""


class Outcome(msgspec.Struct, frozen=True):
    """What a backend answered, and who it was."""

    response: http.Response
    target: Target | None = None
    took: float = 0.0  # s


class Proxy:
    """Listens where it is told to, and answers by its table."""

    def __init__(
        self,
        process: Process,
        targets: Callable[[Backend], Sequence[Target]],
        *,
        appends: bool = False,
    ) -> None:
        """Prepare; `targets` says where a backend's endpoints are.

        With `appends`, X-Forwarded-For keeps what the client sent; else it starts anew.
        """
        self._process = process
        self._sim = process.sim
        self._targets = targets
        self._appends = appends
        self._secure: Sequence[int] = ()
        self._turns: dict[Backend, int] = {}
        self._listeners: dict[int, Listener] = {}
        self.table = Table()

    def listen_on(self, ports: Sequence[int], secure: Sequence[int]) -> None:
        """Listen on these ports and no others; raises AddressInUse."""
        self._secure = secure
        for port in [port for port in self._listeners if port not in ports]:
            self._listeners.pop(port).close()
        for port in ports:
            if port not in self._listeners:
                listener = self._process.net.listen("0.0.0.0", port, owner=self._process.group)
                self._listeners[port] = listener
                self._spawn(self._accept(listener, port), f"listen on {port}")

    async def _accept(self, listener: Listener, port: int) -> None:
        while not listener.closed:
            try:
                connection = await listener.accept()
            except NetworkError:
                continue

            async def handle(request: http.Request) -> http.Response:
                return await self.handle(request, port)

            self._spawn(http.serve_connection(connection, handle), f"connection on {port}")

    async def handle(self, request: http.Request, port: int) -> http.Response:
        """Return the answer to a request that came to a port, and log it."""
        asked = Asked(
            path=request.path,
            method=request.method,
            headers={name.lower(): value for name, value in request.headers.items()},
            query=request.query,
        )
        rule = self.table.find(port, host_of(request), asked)
        began = self._sim.now
        backend = None
        if rule is None:
            outcome = Outcome(error_page(404))
        elif rule.redirect is not None:
            outcome = Outcome(redirected(request, rule, self._scheme(port), port))
        else:
            self._mirror(request, rule, port)
            backend = self._share(rule)
            outcome = await self._ask(self._forwarded(request, rule, port), rule, backend)
            headers = changed_headers(outcome.response.headers, rule.response_headers)
            response = msgspec.structs.replace(outcome.response, headers=headers)
            outcome = msgspec.structs.replace(outcome, response=response)
        self._log(request, backend, outcome, self._sim.now - began)
        return outcome.response

    # -- to the backend

    def _share(self, rule: Rule) -> Backend | None:
        """Return the backend whose turn it is by weight, None if none has any."""
        total = sum(backend.weight for backend in rule.backends)
        if len(rule.backends) < 2 or not total:
            return rule.backends[0] if total else None
        at = self._sim.streams.rng(f"proxy/{self._process.hostname}").randrange(total)
        for backend in rule.backends:
            at -= backend.weight
            if at < 0:
                return backend
        raise AssertionError("a share lies within the total")

    async def _ask(self, request: http.Request, rule: Rule, backend: Backend | None) -> Outcome:
        if backend is None or backend.error:
            return Outcome(error_page(500))
        found = self._targets(backend)
        if not found:
            return Outcome(error_page(503))
        status, target, began = 502, None, self._sim.now
        limit = None if rule.timeout is None else began + rule.timeout
        for _ in range(min(TRIES, len(found))):
            turn = self._turns.get(backend, 0)
            self._turns[backend] = turn + 1
            target = found[turn % len(found)]
            try:
                response = await self._exchange(request, target, limit)
                return Outcome(response, target, self._sim.now - began)
            except (NetworkError, EOFError, http.BadMessage) as fault:
                status = 504 if isinstance(fault, TimedOut) else 502
                over = limit is not None and self._sim.now >= limit
                # What may have been done already is not asked for twice.
                sent = not isinstance(fault, ConnectionRefused)
                if over or (sent and request.method in NOT_REPEATED):
                    break
        return Outcome(error_page(status), target, self._sim.now - began)

    async def _exchange(
        self, request: http.Request, target: Target, limit: float | None
    ) -> http.Response:
        def patience(usual: float) -> float:
            return usual if limit is None else max(min(usual, limit - self._sim.now), 0.0)

        connection = await self._process.net.connect(*target, timeout=patience(CONNECT_TIMEOUT))
        try:
            response = await http.exchange(connection, request, patience(READ_TIMEOUT))
        finally:
            connection.close()
        headers: Mapping[str, str] = response.headers
        for name in HOP_BY_HOP:
            headers = without(headers, name)
        return msgspec.structs.replace(response, headers=headers)

    def _forwarded(self, request: http.Request, rule: Rule, port: int) -> http.Request:
        """Return the request with the rule's changes, and with who asked for what."""
        changed = rewritten(request, rule)
        headers: Mapping[str, str] = changed.headers
        for name in HOP_BY_HOP:
            headers = without(headers, name)
        told = {
            "X-Real-IP": request.remote,
            "X-Forwarded-For": request.remote,
            "X-Forwarded-Host": request.header("Host"),
            "X-Forwarded-Port": str(port),
            "X-Forwarded-Proto": self._scheme(port),
        }
        before = request.header("X-Forwarded-For")
        if self._appends:
            told["X-Forwarded-For"] = ", ".join(filter(None, (before, request.remote)))
        else:
            told |= self._told_by_ingress_nginx(request, before, port)
        for name, value in told.items():
            headers = with_header(headers, name, value)
        return msgspec.structs.replace(changed, headers=headers, remote="")

    def _told_by_ingress_nginx(
        self, request: http.Request, before: str, port: int
    ) -> Mapping[str, str]:
        number = self._sim.streams.rng(f"proxy/{self._process.hostname}").getrandbits(128)
        told = {
            "X-Request-ID": request.header("X-Request-ID") or f"{number:032x}",
            "X-Forwarded-Scheme": self._scheme(port),
            "X-Scheme": self._scheme(port),
        }
        # A client may have written what it likes: that is kept, but not believed.
        return {**told, "X-Original-Forwarded-For": before} if before else told

    def _mirror(self, request: http.Request, rule: Rule, port: int) -> None:
        """Send copies to those who only look on; what they answer is dropped."""
        for backend in rule.mirrors:
            copy = self._forwarded(request, rule, port)
            self._spawn(self._ask(copy, Rule(), backend), f"mirror to {backend}")

    # -- telling

    def _scheme(self, port: int) -> str:
        return "https" if port in self._secure else "http"

    def _log(
        self, request: http.Request, backend: Backend | None, outcome: Outcome, took: float
    ) -> None:
        """Print a line in ingress-nginx's log format (log-format-upstream)."""
        response, target = outcome.response, outcome.target
        when = (EPOCH + timedelta(seconds=self._sim.now)).strftime("%d/%b/%Y:%H:%M:%S +0000")
        agent = header(request.headers, "User-Agent") or "-"
        sent = len(response.body)
        upstream = (
            f"{target[0]}:{target[1]} {sent} {outcome.took:.3f} {response.status}"
            if target is not None
            else "- - - -"
        )
        self._process.log(
            f'{request.remote} - - [{when}] "{request.method} {request.target} {request.version}" '
            f'{response.status} {sent} "-" "{agent}" {len(request.encode())} {took:.3f} '
            f"[{backend or 'upstream-default-backend'}] [] {upstream}"
        )

    def _spawn(self, coroutine: Any, name: str) -> None:
        self._sim.spawn(coroutine, f"{self._process.name}: {name}", self._process.group)
