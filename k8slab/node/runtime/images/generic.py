"""The program of an image that nobody knows: it keeps the promises of its manifest.

On each declared TCP port it answers HTTP with an echo of the request and gRPC health checks with
SERVING; any other protocol is closed politely. Declared UDP ports echo datagrams. Without ports
it just waits, or ends if others wait for its end. Commands of the real image do nothing, well. Its
log says that all this is the lab's own invention.

Rule of use: `ports_of` says which ports: the manifest's, else $PORT, else those that the image
exposes.

Upstream: none (the real image would be here)
"""

from __future__ import annotations

from k8slab.node import grpc_health, http
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import serve_any

WORK = 1.0  # s, until one ends that others wait for


async def main(process: Process) -> int:
    """Serve the declared ports until SIGTERM; a command beside that does nothing, and says so."""
    image = process.container.image.name
    if process.pid != process.container.main_pid:
        # A probe that runs a tool of the real image is one of the manifest's promises, too.
        process.error(f"k8slab: {image} is not simulated; {process.args[0]} does nothing here")
        return 0
    tcp, udp = ports_of(process)
    where = ", ".join([*(f"{port}/TCP" for port in tcp), *(f"{port}/UDP" for port in udp)])
    must_end = not where and process.container.config.must_end
    process.log(f"k8slab: {image} is not simulated; {_what_it_does(where, must_end)}")
    if must_end:
        await process.sleep(WORK)
        return 0

    def echo(request: http.Request) -> http.Response:
        process.log(f"{request.method} {request.target} from {request.remote}")
        return http.text(_echo(process, image, request))

    for port in tcp:
        serve_any(process, port, echo, lambda service: grpc_health.SERVING)
    for port in udp:
        process.spawn(_echo_datagrams(process, port), f"udp port {port}")
    return await process.until_sigterm()


def _what_it_does(where: str, must_end: bool) -> str:
    if where:
        return f"this generic server answers on {where}"
    what = "it ends, for others wait for that" if must_end else "it just waits"
    return f"no ports are declared, so {what}"


def ports_of(process: Process) -> tuple[list[int], list[int]]:
    """Return the TCP and UDP ports that the container is expected to serve."""
    declared = process.container.config.ports
    tcp = [number for protocol, number in declared if protocol in ("TCP", "")]
    udp = [number for protocol, number in declared if protocol == "UDP"]
    own = process.env.get("PORT", "")
    if not tcp:
        tcp = [int(own)] if own.isdigit() else list(process.container.image.ports)
    return list(dict.fromkeys(tcp)), list(dict.fromkeys(udp))


def _echo(process: Process, image: str, request: http.Request) -> str:
    headers = "".join(f"{name}: {value}\n" for name, value in request.headers.items())
    return (
        f"{process.hostname} ({image})\nclient: {request.remote}\n"
        f"{request.method} {request.target}\n{headers}{request.body.decode(errors='replace')}"
    )


async def _echo_datagrams(process: Process, port: int) -> None:
    socket = process.udp(port)
    while True:
        data, sender = await socket.recv_from()
        socket.send_to(data, *sender)
