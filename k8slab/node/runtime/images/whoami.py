"""Servers that say who they are: traefik/whoami and the tutorial's kubernetes-bootcamp.

Upstream: github.com/traefik/whoami, kubernetes.io/docs/tutorials/kubernetes-basics
"""

from __future__ import annotations

from k8slab.node import http
from k8slab.node.runtime.images.flags import parse_flags
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import serve_http


async def main(process: Process) -> int:
    """Answer with the host name, the addresses and the request."""
    flags = parse_flags(process.args[1:])
    port = int(flags.get("port") or process.env.get("WHOAMI_PORT_NUMBER", "80"))

    def whoami(request: http.Request) -> http.Response:
        lines = [f"Hostname: {process.hostname}"]
        lines += [f"IP: {ip}" for ip in process.net.local_addresses]
        lines += [f"RemoteAddr: {request.remote}", f"{request.method} {request.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        return http.text("\n".join(lines) + "\n")

    serve_http(process, port, whoami)
    process.error(f"Starting up on port {port}")
    return await process.until_sigterm()


async def bootcamp(process: Process) -> int:
    """Answer with the host name and the version, which is that of the image's tag."""
    version = process.container.image.name.rpartition(":v")[2]

    def hello(request: http.Request) -> http.Response:
        process.log(f"Running On: {process.hostname} | Log Time: {process.sim.now:.0f}")
        return http.text(
            f"Hello Kubernetes bootcamp! | Running on: {process.hostname} | v={version}\n"
        )

    serve_http(process, 8080, hello)
    process.log(f"Kubernetes Bootcamp App Started | Running On: {process.hostname}")
    return await process.until_sigterm()
