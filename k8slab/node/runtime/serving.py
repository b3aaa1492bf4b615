r"""How a program serves: accept connections for ever, answer HTTP, answer health checks.

    async def main(process: Process) -> int:
        serve_http(process, 8080, lambda request: http.text("hello\n"))
        return await process.until_sigterm()

Rule of use: `serve_*` return at once; the port is open from then on.

Upstream: Go net/http Server, google.golang.org/grpc/health
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from k8slab.linux.errors import NetworkError
from k8slab.linux.tcp import Connection
from k8slab.linux.tcp_open import Listener
from k8slab.node import grpc_health, http
from k8slab.node.runtime.process import Process, crash_report

Serve = Callable[[Connection], Awaitable[None]]


def serve(process: Process, port: int, each: Serve, ip: str = "0.0.0.0") -> Listener:
    """Run `each` for every connection to ip:port. Raises AddressInUse."""
    listener = process.listen(port, ip)
    process.spawn(_accept(process, listener, each), f"port {port}")
    return listener


def serve_http(process: Process, port: int, handler: http.Handler, ip: str = "0.0.0.0") -> Listener:
    """Answer HTTP requests on ip:port. Raises AddressInUse.

    A handler that raises is answered with status 500, its traceback goes to the log.
    """
    each = partial(http.serve_connection, handler=partial(_recovered, process, handler))
    return serve(process, port, each, ip)


def serve_any(
    process: Process, port: int, handler: http.Handler, health: Callable[[str], int]
) -> Listener:
    """Answer HTTP and gRPC health checks on one port; close on anything else.

    `health(service)` returns a status of `grpc_health`. Raises AddressInUse.
    """
    safe = partial(_recovered, process, handler)
    return serve(process, port, partial(_sniff, handler=safe, health=health))


async def _recovered(
    process: Process, handler: http.Handler, request: http.Request
) -> http.Response:
    """Answer a request, with status 500 if the handler fails: one request must not end a server."""
    try:
        answer = handler(request)
        return answer if isinstance(answer, http.Response) else await answer
    except Exception as error:
        for line in crash_report(error):
            process.error(line)
        return http.text("Internal Server Error\n", 500)


async def _accept(process: Process, listener: Listener, each: Serve) -> None:
    while True:
        connection = await listener.accept()
        process.spawn(_guarded(each, connection), f"connection on {listener.port}")


async def _guarded(each: Serve, connection: Connection) -> None:
    """Serve one connection; a client that goes away is no fault of the server."""
    try:
        await each(connection)
    except NetworkError:
        connection.close()


async def _sniff(
    connection: Connection, handler: http.Handler, health: Callable[[str], int]
) -> None:
    """Look at the first bytes to know which protocol the client speaks."""
    data = await connection.recv()
    if grpc_health.is_request(data):
        service = grpc_health.service_of(data)
        if service is None:
            await connection.send(grpc_health.respond(code=grpc_health.UNIMPLEMENTED))
        elif (status := health(service)) == grpc_health.SERVICE_UNKNOWN:
            await connection.send(grpc_health.respond(code=grpc_health.NOT_FOUND))
        else:
            await connection.send(grpc_health.respond(status))
    elif data.split(b" ", 1)[0].decode("latin-1") in http.METHODS:
        await http.serve_connection(connection, handler, data)
        return
    connection.close()


def access_line(process: Process, request: http.Request, answer: http.Response) -> str:
    """Return a line of the common log format, as nginx and httpd write it."""
    from k8slab.api.meta import EPOCH

    when = EPOCH.timestamp() + process.sim.now
    agent, referer = request.header("User-Agent") or "-", request.header("Referer") or "-"
    return (
        f"{request.remote} - - [{clf_time(when)}] "
        f'"{request.method} {request.target} {request.version}" {answer.status} '
        f'{len(answer.body)} "{referer}" "{agent}"'
    )


def clf_time(when: float) -> str:
    """Return a Unix time as access logs have it."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(when, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
