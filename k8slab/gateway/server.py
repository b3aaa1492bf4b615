"""The sockets: tornado in a thread of its own, on loopback only.

Takes HTTP from foreign clients, has the gateway answer inside the simulation, and sends what comes
back. What a browser could be tricked into sending (another Host, an Origin) is refused; bodies and
open streams are bounded.

Rule of use: `Server(...).start()` returns when the port is open, `stop()` when it is free again.

Upstream: staging/src/k8s.io/apiserver/pkg/server
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.routing import Matcher, Rule
from tornado.web import Application, HTTPError, RequestHandler

from k8slab.api import errors
from k8slab.client import Transport
from k8slab.gateway.driver import Driver
from k8slab.gateway.gateway import Gateway
from k8slab.gateway.messages import (
    Headers,
    HttpResponse,
    HttpStream,
    method_not_allowed,
    of_error,
)
from k8slab.gateway.outbox import Outbox
from k8slab.gateway.reading import ADDRESS, read, refusal
from k8slab.gateway.websocket import SessionHandler

MAX_READ = 16 * 1024 * 1024  # bytes, above which a body is not even read
MAX_STREAMS = 4096  # watches and followed logs that may be open at once
START_LIMIT = 10.0  # s of wall time in which the port must be open


class Server:
    """An HTTP server in a thread."""

    def __init__(
        self, gateway: Gateway, transport: Transport, driver: Driver, port: int = 0
    ) -> None:
        self.gateway = gateway
        self.transport = transport
        self.driver = driver
        self.streams = 0  # open now
        self._wanted_port = port
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="k8slab gateway", daemon=True)

    @property
    def url(self) -> str:
        """Where the server is reached."""
        return f"http://{ADDRESS}:{self.port}"

    def start(self) -> None:
        """Open the port; raises OSError if that is not possible."""
        self._thread.start()
        self._ready.wait(START_LIMIT)
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Close all connections and the port, and end the thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        listener = _listen(self._wanted_port)
        self.port = listener.getsockname()[1]
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        driving = asyncio.create_task(self.driver.run())
        await asyncio.sleep(0)  # lets the driver take the loop
        http = HTTPServer(_application(self), max_body_size=MAX_READ, idle_connection_timeout=300)
        http.add_socket(listener)
        self._ready.set()
        await self._stop.wait()
        http.stop()
        driving.cancel()
        await http.close_all_connections()


def _listen(port: int) -> socket.socket:
    """Open the port; raises OSError if somebody else has it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name != "nt":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ADDRESS, port))
        listener.listen(128)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


class _Upgrade(Matcher):
    """Matches requests that want to become a websocket."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Say so by an empty dictionary."""
        wanted = request.headers.get("Upgrade", "").lower() == "websocket"
        return {} if wanted else None


def _application(server: Server) -> Application:
    application = Application(log_function=lambda handler: None)
    own = {"server": server}
    rules = [Rule(_Upgrade(), SessionHandler, own), Rule(_Any(), Handler, own)]
    application.wildcard_router.add_rules(rules)
    return application


class _Any(Matcher):
    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        return {}


class Handler(RequestHandler):
    """One request on its way through the gateway."""

    SUPPORTED_METHODS = cast(
        "tuple[str, ...]", ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    )
    kill: Callable[[], None] | None = None
    outbox: Outbox | None = None

    def initialize(self, server: Server) -> None:
        """Take the server that the route belongs to."""
        self.server = server

    async def answer(self) -> None:
        """Have the gateway answer, and send the answer."""
        refused = refusal(self.server.port, self.request)
        if refused is not None:
            return self.send(of_error(refused))
        http = read(self.request)
        future, self.kill = self.server.driver.submit(
            self.server.gateway.handle(http), f"{http.method} {http.path}"
        )
        answer = await future
        if isinstance(answer, HttpResponse):
            self.send(answer)
        else:
            await self.stream(answer)

    get = head = post = put = patch = delete = options = answer

    def send(self, answer: HttpResponse) -> None:
        """Send a whole answer."""
        self.set_status(answer.status)
        self.set_header("Content-Type", answer.content_type)
        self._add_headers(answer.headers)
        self.finish(answer.body)

    async def stream(self, answer: HttpStream) -> None:
        """Send chunks as they come."""
        if self.server.streams >= MAX_STREAMS:
            message = f"more than {MAX_STREAMS} open watches, please try again later"
            return self.send(of_error(errors.too_many_requests(message)))
        self.server.streams += 1
        try:
            with suppress(StreamClosedError):  # the client has left: there is nobody to tell
                await self._stream(answer)
        finally:
            self.server.streams -= 1

    async def _stream(self, answer: HttpStream) -> None:
        self.set_header("Content-Type", answer.content_type)
        self._add_headers(answer.headers)
        await self.flush()
        self.outbox = Outbox(asyncio.get_running_loop())
        producing, self.kill = self.server.driver.submit(
            _producing(answer, self.outbox), f"stream {self.request.path}"
        )
        outbox = self.outbox
        producing.add_done_callback(lambda _: outbox.close())
        try:
            async for chunk in self.outbox:
                self.write(chunk)
                await self.flush()
        finally:
            self.kill()

    def _add_headers(self, headers: Headers) -> None:
        """Send headers as UTF-8; tornado would write each character as one byte."""
        for name, value in headers:
            self.add_header(name, value.encode().decode("latin-1"))

    def on_connection_close(self) -> None:
        """End what the client has left."""
        if self.kill is not None:
            self.kill()
        if self.outbox is not None:
            self.outbox.close()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with a Status, whatever went wrong."""
        if status_code == 405:
            refused = method_not_allowed()
        elif status_code < 500:
            refused = errors.bad_request("the request cannot be read")
        else:
            refused = errors.internal("the lab has a defect: see Server.driver.failure")
        self.send(of_error(refused))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Keep a defect for whoever stops the server; it is not for a client to see."""
        is_clients = isinstance(value, HTTPError | StreamClosedError)
        if isinstance(value, Exception) and not is_clients:
            self.server.driver.failure = self.server.driver.failure or value

    def compute_etag(self) -> None:
        """Send no ETag: objects have their resourceVersion."""

    def set_default_headers(self) -> None:
        """Do not tell clients what the server is made of."""
        self.clear_header("Server")


async def _producing(answer: HttpStream, outbox: Outbox) -> None:
    await answer.produce(outbox.put)
