"""hello-app: says its version and its host name; the usual image of rollout lessons.

Upstream: GoogleCloudPlatform/kubernetes-engine-samples hello-app/main.go
"""

from __future__ import annotations

from k8slab.node import http
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import serve_http


async def main(process: Process) -> int:
    """Serve until SIGTERM; the version is that of the image's tag."""
    port = int(process.env.get("PORT", "8080"))
    tag = process.container.image.name.rpartition(":")[2]
    version = tag.removeprefix("v") if "." in tag else f"{tag.removeprefix('v')}.0.0"

    def hello(request: http.Request) -> http.Response:
        process.log(f"Serving request: {request.path}")
        return http.text(f"Hello, world!\nVersion: {version}\nHostname: {process.hostname}\n")

    serve_http(process, port, hello)
    process.log(f"Server listening on port {port}")
    return await process.until_sigterm()


async def backend(process: Process) -> int:
    """Serve hello-go-gke's greeting on port 80 until SIGTERM."""

    def answer(request: http.Request) -> http.Response:
        return http.text('{"message":"Hello"}\n', content_type="application/json")

    serve_http(process, 80, answer)
    return await process.until_sigterm()
