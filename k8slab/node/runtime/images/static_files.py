"""Serving files from a folder: what nginx and httpd have in common.

Rule of use: a volume mounted over the folder replaces what the image has there.

Upstream: nginx src/http/modules/ngx_http_static_module.c, httpd server/core.c
"""

from __future__ import annotations

from k8slab.node import http
from k8slab.node.runtime.process import Process

TYPES = {
    "html": "text/html", "css": "text/css", "js": "application/javascript", "txt": "text/plain",
    "json": "application/json", "svg": "image/svg+xml", "xml": "text/xml",
}  # fmt: skip
INDEX = "index.html"


def find(process: Process, root: str, request: http.Request, server: str) -> http.Response:
    """Return the file that the request asks for, or 404, 403, 405."""
    if request.method not in ("GET", "HEAD"):
        return error(405, server)
    path = f"{root}{request.path}"
    if path.endswith("/"):
        path += INDEX
    try:
        contents = process.read(path)
    except FileNotFoundError:
        forbidden = request.path.endswith("/") and process.exists(path.removesuffix(INDEX))
        return error(403 if forbidden else 404, server)
    kind = TYPES.get(path.rpartition(".")[2], "application/octet-stream")
    headers = {"Server": server, "Content-Type": kind}
    body = contents.encode()
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(body))
        body = b""
    return http.Response(200, body, headers)


def error(status: int, server: str) -> http.Response:
    """Return the page of an error."""
    title = f"{status} {http.REASONS[status]}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"
    )
    return http.Response(status, page.encode(), {"Server": server, "Content-Type": "text/html"})
