"""busybox httpd: the smallest web server that people really use in Pods.

Upstream: busybox networking/httpd.c
"""

from __future__ import annotations

from k8slab.node import http
from k8slab.node.runtime.images import static_files
from k8slab.node.runtime.images.busybox.arguments import options
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import serve_http


async def httpd(process: Process) -> int:
    """Serve files: -f in the foreground, -p [IP:]PORT (80), -h FOLDER (.), -v tells of requests."""
    if process.pid == 1:
        process.handle_sigterm()
    found, _ = options(process, "fv", "phcr")
    root = process.absolute(found.get("h", "."))

    def answer(request: http.Request) -> http.Response:
        response = static_files.find(process, root.rstrip("/"), request, "busybox httpd")
        if "v" in found:
            process.error(f"{request.remote}: response:{response.status}")
        return response

    serve_http(process, int(found.get("p", "80").rpartition(":")[2]), answer)
    if "f" in found:
        await process.sleep(1e9)
    return 0
