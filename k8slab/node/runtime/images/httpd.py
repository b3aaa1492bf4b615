"""httpd: the Apache server with the files of /usr/local/apache2/htdocs.

Upstream: docker-library httpd
"""

from __future__ import annotations

from k8slab.linux.errors import AddressInUse
from k8slab.node import http
from k8slab.node.runtime.images import static_files
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.serving import access_line, serve_http

SERVER = "Apache/2.4.66 (Unix)"
ROOT = "/usr/local/apache2/htdocs"
PORT = 80


async def main(process: Process) -> int:
    """Serve until SIGTERM or SIGWINCH."""

    def answer(request: http.Request) -> http.Response:
        response = static_files.find(process, ROOT, request, SERVER, error_page)
        process.log(access_line(process, request, response).rsplit(' "', 2)[0])
        return response

    process.memory = 10 << 20
    try:
        serve_http(process, PORT, answer)
    except AddressInUse:
        process.error(
            "(98)Address already in use: AH00072: make_sock: could not bind to address "
            f"0.0.0.0:{PORT}"
        )
        return 1
    process.error(f"AH00094: Command line: 'httpd -D FOREGROUND' ({SERVER})")
    return await process.until_sigterm()


def error_page(status: int) -> str:
    """Return Apache's page of an error."""
    reason = http.REASONS[status]
    text = {
        403: "You don't have permission to access this resource.",
        404: "The requested URL was not found on this server.",
    }.get(status, "The requested method is not allowed for this URL.")
    return (
        '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n'
        f"<title>{status} {reason}</title>\n</head><body>\n<h1>{reason}</h1>\n<p>{text}</p>\n"
        "</body></html>\n"
    )
