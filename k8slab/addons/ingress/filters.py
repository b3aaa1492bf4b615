"""What is changed on the way: paths, headers, and where clients are sent instead.

Rule of use: pure; requests and responses are values, a change makes a new one.

Upstream: gateway-api apis/v1/httproute_types.go (HTTPRouteFilter)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from k8slab.addons.ingress.routing import HeaderChanges, Redirect, Rule
from k8slab.linux.http import Request, Response

USUAL_PORTS = {"http": 80, "https": 443}


def rewritten(request: Request, rule: Rule) -> Request:
    """Return the request as the backend gets it, but for the headers of the proxy."""
    target, headers = request.target, request.headers
    path, mark, query = target.partition("?")
    if rule.path_change is not None or rule.path_regex:
        target = changed_path(path, rule) + mark + query
    if rule.hostname:
        headers = with_header(headers, "Host", rule.hostname)
    headers = changed_headers(headers, rule.request_headers)
    return msgspec.structs.replace(request, target=target, headers=headers)


def redirected(request: Request, rule: Rule, scheme: str, port: int) -> Response:
    """Return the answer that sends the client elsewhere; `port` is the one it came to."""
    redirect = rule.redirect or Redirect()
    path, mark, query = request.target.partition("?")
    if redirect.path is not None:
        path = _with_path(path, rule.path, redirect.path.replacement, redirect.path.whole)
    to_scheme = redirect.scheme or scheme
    to_port = redirect.port or (USUAL_PORTS[redirect.scheme] if redirect.scheme else port)
    host = redirect.hostname or host_of(request)
    shown = "" if USUAL_PORTS.get(to_scheme) == to_port else f":{to_port}"
    location = f"{to_scheme}://{host}{shown}{path}{mark}{query}"
    return error_page(redirect.status, {"Location": location})


def changed_path(path: str, rule: Rule) -> str:
    """Return the path for the backend."""
    if rule.path_regex:
        found = re.match(rule.path, path)
        groups = dict(enumerate(found.groups(""), 1)) if found is not None else {}
        return re.sub(r"\$(\d)", lambda each: groups.get(int(each[1]), ""), rule.path_regex)
    if rule.path_change is None:
        return path
    return _with_path(path, rule.path, rule.path_change.replacement, rule.path_change.whole)


def _with_path(path: str, prefix: str, replacement: str, whole: bool) -> str:
    """Return the path with another one, or another prefix.

    >>> _with_path("/foo/bar", "/foo", "/xyz/", False), _with_path("/foo", "/foo", "/", False)
    ('/xyz/bar', '/')
    """
    if whole:
        return replacement
    rest = path[len(prefix.rstrip("/")) :]
    return (replacement.rstrip("/") + rest) or "/"


def changed_headers(
    headers: Mapping[str, str], changes: Iterable[HeaderChanges]
) -> Mapping[str, str]:
    """Return the headers after all changes: set, add, remove."""
    for change in changes:
        for pair in change.set:
            headers = with_header(headers, pair.name, pair.value)
        for pair in change.add:
            before = header(headers, pair.name)
            value = f"{before},{pair.value}" if before else pair.value
            headers = with_header(headers, pair.name, value)
        for name in change.remove:
            headers = without(headers, name)
    return headers


def with_header(headers: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """Return the headers with one of them set, whatever the case of its name was."""
    return {**without(headers, name), name: value}


def without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the headers without one of them."""
    return {key: value for key, value in headers.items() if key.lower() != name.lower()}


def header(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a header, "" if there is none."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def host_of(request: Request) -> str:
    """Return the host that was asked for, without its port."""
    return re.sub(r":\d+$", "", request.header("Host"))


# nginx has words of its own for some statuses
NGINX_WORDS = {
    302: "Found",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


def error_page(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return a page of the proxy's own, as nginx writes it."""
    title = f"{status} {NGINX_WORDS.get(status) or Response(status).reason}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return Response(status, page.encode(), {"Content-Type": "text/html", **(headers or {})})
