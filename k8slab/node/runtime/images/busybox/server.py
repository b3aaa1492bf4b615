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
        folder = root.rstrip("/")
        response = static_files.find(process, folder, request, "busybox httpd", error_page)
        if "v" in found:
            process.error(f"{request.remote}: response:{response.status}")
        return response

    ip, _, port = found.get("p", "80").rpartition(":")
    serve_http(process, int(port), answer, ip or "0.0.0.0")
    if "f" in found:
        await process.sleep(1e9)
    return 0


def error_page(status: int) -> str:
    """Return busybox's page of an error."""
    title = f"{status} {http.REASONS[status]}"
    text = "The requested URL was not found" if status == 404 else "Unsupported method"
    return (
        f"<HTML><HEAD><TITLE>{title}</TITLE></HEAD>\n<BODY><H1>{title}</H1>\n{text}\n"
        "</BODY></HTML>\n"
    )
