"""nginx's own pages: errors and redirects.

Upstream: nginx src/http/ngx_http_special_response.c
"""

from __future__ import annotations

from k8slab.node import http

TITLES = {
    301: "301 Moved Permanently",
    302: "302 Found",
    303: "303 See Other",
    307: "307 Temporary Redirect",
    308: "308 Permanent Redirect",
    400: "400 Bad Request",
    401: "401 Authorization Required",
    402: "402 Payment Required",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Not Allowed",
    406: "406 Not Acceptable",
    408: "408 Request Time-out",
    409: "409 Conflict",
    410: "410 Gone",
    411: "411 Length Required",
    412: "412 Precondition Failed",
    413: "413 Request Entity Too Large",
    414: "414 Request-URI Too Large",
    415: "415 Unsupported Media Type",
    416: "416 Requested Range Not Satisfiable",
    421: "421 Misdirected Request",
    429: "429 Too Many Requests",
    500: "500 Internal Server Error",
    501: "501 Not Implemented",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
    505: "505 HTTP Version Not Supported",
    507: "507 Insufficient Storage",
}
REDIRECTS = (301, 302, 303, 307, 308)
SERVER = "nginx/1.29.4"


def error_page(status: int) -> http.Response:
    """Return the page of a status, an empty answer if it has none."""
    title = TITLES.get(status)
    if title is None:
        return http.Response(status)
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>{SERVER}</center>\r\n</body>\r\n</html>\r\n"
    )
    return http.Response(status, page.encode(), {"Content-Type": "text/html"})


def redirect(status: int, where: str) -> http.Response:
    """Send the client somewhere else."""
    page = error_page(status)
    return http.Response(status, page.body, {**page.headers, "Location": where})
