"""agnhost: the Swiss knife of Kubernetes' own tests.

Subcommands: netexec (HTTP, UDP and SCTP server with /echo /hostname /clientip /healthz /exit /shell
/dial ...), serve-hostname, liveness, grpc-health-checking, test-webserver, entrypoint-tester,
pause, connect, porter, logs-generator.

Rule of use: `main` picks the function by the first argument; each is a small program.

Upstream: test/images/agnhost
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from k8slab.linux.addresses import joined
from k8slab.linux.errors import NetworkError, TimedOut
from k8slab.linux.resolver import ResolutionError
from k8slab.linux.sctp import Association
from k8slab.node import grpc_health, http
from k8slab.node.runtime.images.flags import parse_flags
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import serve_any, serve_http
from k8slab.node.runtime.streams import Capture

DIAL_TIMEOUT = 5.0  # s


async def main(process: Process) -> int:
    """Run the subcommand."""
    words = process.args[1:] or ("pause",)
    command = _COMMANDS.get(words[0])
    if command is None:
        process.error(f'Error: unknown command "{words[0]}" for "app"')
        return 1
    return await command(process, parse_flags(words[1:]))


async def pause(process: Process, flags: dict[str, str]) -> int:
    """Wait for SIGTERM."""
    process.log("Paused")
    await process.until_sigterm()
    process.log("Received SIGTERM, shutting down")
    return 2


async def serve_hostname(process: Process, flags: dict[str, str]) -> int:
    """Answer every request with the host name."""
    port = int(flags.get("port", "9376"))
    serve_http(process, port, lambda request: http.text(process.hostname))
    process.log(f"Serving on port {port}.")
    return await process.until_sigterm()


async def liveness(process: Process, flags: dict[str, str]) -> int:
    """Serve /healthz: well for ten seconds, then with status 500 for ever."""
    start = process.sim.now

    def healthz(request: http.Request) -> http.Response:
        age = process.sim.now - start
        return http.text("ok") if age <= 10 else http.text(f"error: {age:.6f}s", 500)

    serve_http(process, 8080, healthz)
    return await process.until_sigterm()


async def grpc_health_checking(process: Process, flags: dict[str, str]) -> int:
    """Answer gRPC health checks: --port, --service, --delay-unhealthy-sec; switches over HTTP."""
    start, name = process.sim.now, flags.get("service", "")
    delay = float(flags.get("delay-unhealthy-sec", "-1"))
    serving = True

    def health(service: str) -> int:
        if service not in ("", name):
            return grpc_health.SERVICE_UNKNOWN
        over = 0 <= delay <= process.sim.now - start
        return grpc_health.SERVING if serving and not over else grpc_health.NOT_SERVING

    def switch(request: http.Request) -> http.Response:
        nonlocal serving
        if request.path in ("/make-serving", "/make-not-serving"):
            serving = request.path == "/make-serving"
            process.log(f"Mark as {'serving' if serving else 'not serving'}")
            return http.text("")
        return http.text("404 page not found\n", 404)

    port, http_port = int(flags.get("port", "5000")), int(flags.get("http-port", "8080"))
    serve_any(process, port, switch, health)
    serve_http(process, http_port, switch)
    process.log(f"Http server starting to listen on :{http_port}")
    process.log(f"gRPC server starting to listen on :{port}")
    return await process.until_sigterm()


async def test_webserver(process: Process, flags: dict[str, str]) -> int:
    """Serve the container's files on port 80."""
    port = int(flags.get("port", "80"))

    def answer(request: http.Request) -> http.Response:
        try:
            return http.text(process.read(request.path))
        except FileNotFoundError:
            return http.text("404 page not found\n", 404)

    serve_http(process, port, answer)
    return await process.until_sigterm()


async def entrypoint_tester(process: Process, flags: dict[str, str]) -> int:
    """Print the arguments with which it was started."""
    process.log(f"[{' '.join(process.args)}]")
    return 0


async def porter(process: Process, flags: dict[str, str]) -> int:
    """Serve each port for which there is SERVE_PORT_<number>, with that variable's text."""
    for name, value in process.env.items():
        prefix, _, number = name.rpartition("_")
        if prefix == "SERVE_PORT" and number.isdigit():
            answer = http.text(value)
            serve_http(process, int(number), lambda request, answer=answer: answer)  # type: ignore[misc]
    return await process.until_sigterm()


async def connect(process: Process, flags: dict[str, str]) -> int:
    """Try a connection of the --protocol; the exit code and one word say how it went."""
    target = next((word for word in process.args[2:] if ":" in word and word[0] != "-"), "")
    host, _, port = target.rpartition(":")
    timeout = float(flags.get("timeout", "5s").rstrip("s"))
    try:
        ip = await process.resolve(host.strip("[]"))
        await _TRIES[flags.get("protocol", "tcp")](process, ip, int(port), timeout)
    except ResolutionError as error:
        process.error(f"DNS: {error}")
    except TimedOut:
        process.error("TIMEOUT")
    except NetworkError as error:
        refused = error.errno_name == "ECONNREFUSED" and flags.get("protocol") != "sctp"
        process.error("REFUSED" if refused else f"OTHER: {error}")
    else:
        return 0
    return 1


async def _try_tcp(process: Process, ip: str, port: int, timeout: float) -> None:
    (await process.net.connect(ip, port, timeout=timeout, owner=process.group)).close()


async def _try_udp(process: Process, ip: str, port: int, timeout: float) -> None:
    await _exchange_udp(process, ip, port, b"hostname\n", timeout)


async def _try_sctp(process: Process, ip: str, port: int, timeout: float) -> None:
    await _exchange_sctp(process, ip, port, b"hostname\n", timeout)


async def _exchange_udp(process: Process, ip: str, port: int, data: bytes, timeout: float) -> bytes:
    socket = process.udp()
    try:
        socket.connect(ip, port)
        socket.send(data)
        return (await socket.recv_from(timeout))[0]
    finally:
        socket.close()


async def _exchange_sctp(
    process: Process, ip: str, port: int, data: bytes, timeout: float
) -> bytes:
    net, group = process.net, process.group
    association = await net.sctp_connect(ip, port, timeout=timeout, owner=group)
    try:
        await association.send(data)
        return await association.recv(timeout)
    finally:
        association.close()


async def logs_generator(process: Process, flags: dict[str, str]) -> int:
    """Print lines of a log: --log-lines-total, --run-duration."""
    total = int(flags.get("log-lines-total", "0") or 0)
    pause_between = float(flags.get("run-duration", "1s").rstrip("s")) / max(total, 1)
    for number in range(total):
        process.error(f"I {number} PUT /api/v1/namespaces/kube-system/pods/{number:04x} 200")
        await process.sleep(pause_between)
    return 0


async def netexec(process: Process, flags: dict[str, str]) -> int:
    """Serve HTTP and UDP, and SCTP if --sctp-port says where, until SIGTERM."""
    port = int(flags.get("http-port", "8080"))
    server = Netexec(process)
    serve_http(process, port, server.answer)
    udp_port = int(flags.get("udp-port", "8081"))
    if udp_port > 0:
        process.spawn(_udp(process, udp_port), "udp")
    sctp_port = int(flags.get("sctp-port", "-1"))
    if sctp_port > 0:
        process.spawn(_sctp(process, sctp_port), "sctp")
    process.log(f"Started HTTP server on port {port}")
    process.log(f"Started UDP server on port  {udp_port}")
    if sctp_port > 0:
        process.log(f"Started SCTP server on port {sctp_port}")
    return await process.until_sigterm()


class Netexec:
    """The HTTP server of netexec; `healthy` is what /healthz says."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.healthy = True

    async def answer(self, request: http.Request) -> http.Response:
        """Answer one request."""
        process, query = self.process, request.query
        process.log(f"GET {request.path}")
        simple = {
            "/": f"NOW: {_now(process)}", "/echo": query.get("msg", ""),
            "/hostname": process.hostname, "/hostName": process.hostname,
            "/clientip": joined(request.remote, request.remote_port),
            "/healthz": "ok" if self.healthy else "",
        }.get(request.path)  # fmt: skip
        if request.path == "/healthz" and not self.healthy:
            return http.text("", 412)
        if simple is not None:
            status = int(query.get("code", "200")) if request.path == "/echo" else 200
            return http.text(simple, status)
        if request.path == "/header":
            return http.text(request.header(query.get("key", "")))
        if request.path == "/exit":
            process.spawn(_exit(process, query), "exit")
            return http.text("")
        if request.path == "/shell":
            return await self._shell(query.get("shellCommand") or query.get("cmd", ""))
        if request.path == "/dial":
            return await self._dial(query)
        return http.text("404 page not found\n", 404)

    async def _shell(self, command: str) -> http.Response:
        import json

        out = Capture()
        child = self.process.child(("sh", "-c", command), streams=(None, out, out))
        program = child.find("sh")
        assert program is not None
        code = await child.run(program)
        answer = (
            {"output": out.text}
            if code == 0
            else {"output": out.text, "error": f"exit status {code}"}
        )
        return http.text(json.dumps(answer) + "\n")

    async def _dial(self, query: dict[str, str]) -> http.Response:
        """Ask another netexec, several times, and return who answered."""
        import json

        responses, errors = [], []
        asks = {"udp": self._ask_udp, "sctp": self._ask_sctp}
        ask = asks.get(query.get("protocol", "").lower(), self._ask_http)
        for _ in range(int(query.get("tries", "1"))):
            try:
                responses.append(await ask(query))
            except (OSError, EOFError, ValueError) as error:
                errors.append(str(error))
        result = {"responses": responses} if responses else {}
        return http.text(json.dumps({**result, "errors": errors} if errors else result))

    async def _ask_http(self, query: dict[str, str]) -> str:
        ip = await self.process.resolve(query["host"])
        target = f"/{query.get('request', 'hostname')}"
        request = http.Request("GET", target, {"Host": query["host"]})
        port = int(query.get("port", "80"))
        net = self.process.net
        return (await http.request(net, ip, port, request, timeout=DIAL_TIMEOUT)).text

    async def _ask_udp(self, query: dict[str, str]) -> str:
        return (await _exchange_udp(*await self._asked(query))).decode(errors="replace")

    async def _ask_sctp(self, query: dict[str, str]) -> str:
        return (await _exchange_sctp(*await self._asked(query))).decode(errors="replace")

    async def _asked(self, query: dict[str, str]) -> tuple[Process, str, int, bytes, float]:
        ip = await self.process.resolve(query["host"])
        data = query.get("request", "hostname").encode()
        return self.process, ip, int(query.get("port", "80")), data, DIAL_TIMEOUT


async def _udp(process: Process, port: int) -> None:
    socket = process.udp(port)
    while True:
        data, sender = await socket.recv_from()
        socket.send_to(_answer(process, data, sender), *sender)


async def _sctp(process: Process, port: int) -> None:
    listener = process.net.sctp_listen("0.0.0.0", port, owner=process.group)
    while True:
        association = await listener.accept()
        process.spawn(_serve_sctp(process, association), "sctp association")


async def _serve_sctp(process: Process, association: Association) -> None:
    try:
        while data := await association.recv():
            await association.send(_answer(process, data, association.remote))
    except NetworkError:
        pass  # the client went away
    finally:
        association.close()


def _answer(process: Process, data: bytes, sender: tuple[str, int]) -> bytes:
    command, _, rest = data.decode(errors="replace").strip().partition(" ")
    answers = {"echo": rest, "clientip": joined(*sender)}
    return answers.get(command.lower(), process.hostname).encode()


async def _exit(process: Process, query: dict[str, str]) -> None:
    await process.sleep(float(query.get("timeout", "0s").rstrip("s")))
    process.container.exit(int(query.get("code", "0")))


def _now(process: Process) -> str:
    from k8slab.api.meta import timestamp

    return timestamp(process.sim.now)


_TRIES = {"tcp": _try_tcp, "udp": _try_udp, "sctp": _try_sctp}
_COMMANDS: dict[str, Callable[[Process, dict[str, str]], Awaitable[int]]] = {
    "netexec": netexec, "serve-hostname": serve_hostname, "pause": pause, "connect": connect,
    "liveness": liveness, "porter": porter, "logs-generator": logs_generator,
    "grpc-health-checking": grpc_health_checking, "test-webserver": test_webserver,
    "entrypoint-tester": entrypoint_tester,
}  # fmt: skip
