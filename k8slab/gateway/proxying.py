"""/proxy over HTTP: a request as it is passed on, and its answer on the way back.

The program behind the proxy knows nothing of the long path before it. So a redirect to "/login" and
links of its pages get that path put before them; a client then stays inside.

Rule of use: `call_of(http)` is what is passed on, `response(http, answer)` what the client gets.

Upstream: staging/src/k8s.io/apimachinery/pkg/util/proxy/{transport,upgradeaware}.go
"""

from __future__ import annotations

import re
from posixpath import join
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from k8slab.client.http_call import HttpAnswer, HttpCall
from k8slab.gateway.messages import TEXT, HttpRequest, HttpResponse

# Between two neighbors only, and what is for the API server alone.
NOT_PASSED_ON = frozenset(
    {"authorization", "connection", "content-length", "keep-alive", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "proxy-connection"}
)
NOT_PASSED_BACK = (NOT_PASSED_ON - {"authorization"}) | {
    *("access-control-allow-credentials", "access-control-allow-headers"),
    *("access-control-allow-methods", "access-control-allow-origin", "content-type"),
    *("access-control-expose-headers", "access-control-max-age"),
}
TAG = re.compile(r"<[a-zA-Z][^<>]*>")
LINK = re.compile(  # an attribute of a tag that names another page
    r"""(\s(?:href|src|action|formaction|cite|data|poster|background)\s*=\s*)("[^"]*"|'[^']*')""",
    re.IGNORECASE,
)


def parts(path: str) -> tuple[str, str]:
    """Return the path up to and with "/proxy", and what is asked behind it.

    >>> parts("/api/v1/namespaces/x/services/web:80/proxy/cart/7")
    ('/api/v1/namespaces/x/services/web:80/proxy', '/cart/7')
    """
    steps = path.split("/")
    at = 7 if len(steps) > 3 and steps[3] == "namespaces" else 5
    return "/".join(steps[: at + 1]), "".join(f"/{step}" for step in steps[at + 1 :])


def redirect(http: HttpRequest) -> HttpResponse | None:
    """Return the answer to a path that ends with /proxy: it lacks a slash. None if it has one."""
    if parts(http.path)[1]:
        return None
    return HttpResponse(
        status=301, content_type=TEXT, headers=(("Location", f"{quote(http.path)}/{_query(http)}"),)
    )


def call_of(http: HttpRequest) -> HttpCall:
    """Return the request as the program behind the proxy gets it."""
    own = {name.title(): text for name, text in http.headers.items() if name not in NOT_PASSED_ON}
    own |= {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Uri": quote(http.path)}
    own.setdefault("Host", "kubernetes")
    own["Connection"] = "close"
    target = quote(parts(http.path)[1]) + _query(http)
    return HttpCall(http.method, target, own, http.body)


def response(http: HttpRequest, answer: HttpAnswer) -> HttpResponse:
    """Return the program's answer as the client gets it."""
    before, host = parts(http.path)[0], http.header("host")
    names = {name.lower(): text for name, text in answer.headers.items()}
    headers = {name: text for name, text in names.items() if name not in NOT_PASSED_BACK}
    body, content_type = answer.body, names.get("content-type", TEXT)
    if "location" in headers:
        headers["location"] = inside(headers["location"], before, host)
    elif content_type.partition(";")[0].strip() == "text/html" and "content-encoding" not in names:
        body = _with_links(body, before, host)
    return HttpResponse(
        status=answer.status,
        body=body,
        content_type=content_type,
        headers=tuple((name.title(), text) for name, text in headers.items()),
    )


def inside(url: str, before: str, host: str) -> str:
    """Return a link of a proxied page such that it stays behind the proxy.

    >>> inside("/login", "/api/v1/nodes/worker-1/proxy", "127.0.0.1:8001")
    '/api/v1/nodes/worker-1/proxy/login'
    >>> inside("/", "/api/v1/nodes/worker-1/proxy", "127.0.0.1:8001")
    '/api/v1/nodes/worker-1/proxy/'
    >>> inside("https://kubernetes.io/docs", "/api/v1/nodes/worker-1/proxy", "127.0.0.1:8001")
    'https://kubernetes.io/docs'
    """
    found = urlsplit(url)
    is_elsewhere = found.netloc not in ("", host)
    if is_elsewhere or not found.path.startswith("/") or found.path.startswith(before):
        return url
    path = join(before, found.path.strip("/")).rstrip("/") + "/" * found.path.endswith("/")
    return urlunsplit(("", "", path, found.query, found.fragment))


def _with_links(body: bytes, before: str, host: str) -> bytes:
    def put(found: re.Match[str]) -> str:
        sign, url = found[2][0], found[2][1:-1]
        return f"{found[1]}{sign}{inside(url, before, host)}{sign}"

    text = body.decode("utf-8", "surrogateescape")
    text = TAG.sub(lambda tag: LINK.sub(put, tag[0]), text)
    return text.encode("utf-8", "surrogateescape")


def _query(http: HttpRequest) -> str:
    return f"?{urlencode(http.query)}" if http.query else ""
