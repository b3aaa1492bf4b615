"""The websockets of `kubectl exec` and `kubectl attach`, and of forwarded ports.

Rule of use: the server routes requests that ask for an upgrade here; what is said over the socket
is in sessions.py and forwarding.py.

Upstream: staging/src/k8s.io/kubelet/pkg/cri/streaming/remotecommand/websocket.go
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from k8slab.api import errors
from k8slab.api.errors import ApiError
from k8slab.client import ConnectionFailed, Request
from k8slab.gateway import forwarding
from k8slab.gateway.forwarding import Forwarding
from k8slab.gateway.messages import HttpResponse, of_error
from k8slab.gateway.paths import parse
from k8slab.gateway.reading import read, refusal
from k8slab.gateway.sessions import PROTOCOLS, SUBRESOURCES, Session, check

if TYPE_CHECKING:
    from k8slab.gateway.server import Server

NORMAL_CLOSURE = 1000
PORT_FORWARD = "portforward"


class SessionHandler(WebSocketHandler):
    """One websocket."""

    session: Session | Forwarding | None = None
    kill: Callable[[], None] | None = None

    def initialize(self, server: Server) -> None:
        """Take the server that the route belongs to."""
        self.server = server

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Refuse what can be refused in HTTP, then become a websocket."""
        try:
            self._asked = await self._accept()
        except ApiError as refused:
            return self._send(of_error(refused))
        except ConnectionFailed as failed:
            return self._send(of_error(errors.service_unavailable(str(failed))))
        await super().get(*args, **kwargs)

    async def _accept(self) -> Request:
        """Return what is asked for; raises ApiError."""
        refused = refusal(self.server.port, self.request)
        if refused is not None:
            raise refused
        http = read(self.request)
        resource, request = parse(http)
        if resource.kind != "Pod" or request.subresource not in (*SUBRESOURCES, PORT_FORWARD):
            raise errors.bad_request("Upgrade request required for exec and attach only")
        request = replace(request, options=http.query)
        if request.subresource == PORT_FORWARD:
            forwarding.wanted_ports(request)
            looking = self.server.transport.request(replace(request, verb="get"))
            future, _ = self.server.driver.submit(looking, f"port-forward {request.name}")
            await future
            return request
        future, _ = self.server.driver.submit(
            check(self.server.transport, request), f"{request.subresource} {request.name}"
        )
        await future
        return request

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Choose the newest protocol that both sides speak."""
        return next((known for known in PROTOCOLS if known in subprotocols), None)

    def open(self, *args: str, **kwargs: str) -> None:
        """Start the command."""
        loop, driver = asyncio.get_running_loop(), self.server.driver

        def send(message: bytes) -> None:
            loop.call_soon_threadsafe(self._pass_on, message)

        make = Forwarding if self._asked.subresource == PORT_FORWARD else Session
        self.session = make(driver.sim, self.server.transport, self._asked, send)
        running, self.kill = driver.submit(self.session.run(), f"exec in {self._asked.name}")
        running.add_done_callback(lambda _: loop.call_soon(self.close, NORMAL_CLOSURE))

    def on_message(self, message: str | bytes) -> None:
        """Pass input on."""
        data = message.encode() if isinstance(message, str) else message
        session = self.session
        if session is not None:
            self.server.driver.post(lambda: session.receive(data))

    def on_close(self) -> None:
        """End the command if the client went away."""
        if self.kill is not None:
            self.kill()

    def _pass_on(self, message: bytes) -> None:
        try:
            self.write_message(message, binary=True)
        except WebSocketClosedError:
            return  # the client has gone; on_close ends the command

    def _send(self, answer: HttpResponse) -> None:
        self.set_status(answer.status)
        self.set_header("Content-Type", answer.content_type)
        self.finish(answer.body)
