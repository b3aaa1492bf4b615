"""Serving files from a folder: what Apache's and busybox's httpd have in common.

Rule of use: a volume mounted over the folder replaces what the image has there; each server has
its own page for errors.

Upstream: httpd server/core.c, busybox networking/httpd.c
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.node import http
from k8slab.node.runtime.process import Process

TYPES = {
    "html": "text/html", "css": "text/css", "js": "application/javascript", "txt": "text/plain",
    "json": "application/json", "svg": "image/svg+xml", "xml": "text/xml",
}  # fmt: skip
INDEX = "index.html"


def find(
    process: Process, root: str, request: http.Request, server: str, page: Callable[[int], str]
) -> http.Response:
    """Return the file that the request asks for, or 404, 403, 405 with the server's page."""
    if request.method not in ("GET", "HEAD"):
        return _error(405, server, page)
    path = f"{root}{request.path}"
    if path.endswith("/"):
        path += INDEX
    try:
        contents = process.read(path)
    except FileNotFoundError:
        forbidden = request.path.endswith("/") and process.exists(path.removesuffix(INDEX))
        return _error(403 if forbidden else 404, server, page)
    kind = TYPES.get(path.rpartition(".")[2], "application/octet-stream")
    headers = {"Server": server, "Content-Type": kind}
    body = contents.encode()
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(body))
        body = b""
    return http.Response(200, body, headers)


def _error(status: int, server: str, page: Callable[[int], str]) -> http.Response:
    headers = {"Server": server, "Content-Type": "text/html; charset=iso-8859-1"}
    return http.Response(status, page(status).encode(), headers)
