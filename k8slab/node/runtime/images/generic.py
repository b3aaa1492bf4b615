"""The program of an image that nobody knows: it keeps the promises of its manifest.

On each declared TCP port it answers HTTP with an echo of the request and gRPC health checks with
SERVING; any other protocol is closed politely. Declared UDP ports echo datagrams. Without ports
it just waits. Its log says that this is the lab's own invention.

Rule of use: `ports_of` says which ports: the manifest's, else $PORT, else those that the image
exposes.

Upstream: none (the real image would be here)
"""

from __future__ import annotations

from k8slab.node import grpc_health, http
from k8slab.node.runtime.process import NOT_FOUND, Process
from k8slab.node.runtime.serving import serve_any


async def main(process: Process) -> int:
    """Serve the declared ports until SIGTERM; a command beside that is refused."""
    image = process.container.image.name
    if process.pid != process.container.main_pid:
        process.error(f"k8slab: {image} is not simulated: it has no program {process.args[0]}")
        return NOT_FOUND
    tcp, udp = ports_of(process)
    where = ", ".join([*(f"{port}/TCP" for port in tcp), *(f"{port}/UDP" for port in udp)])
    process.log(f"k8slab: {image} is not simulated; " + (
        f"this generic server answers on {where}"
        if where
        else "no ports are declared, so it just waits"
    ))  # fmt: skip

    def echo(request: http.Request) -> http.Response:
        process.log(f"{request.method} {request.target} from {request.remote}")
        return http.text(_echo(process, image, request))

    for port in tcp:
        serve_any(process, port, echo, lambda service: grpc_health.SERVING)
    for port in udp:
        process.spawn(_echo_datagrams(process, port), f"udp port {port}")
    return await process.until_sigterm()


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
