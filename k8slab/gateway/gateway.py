"""The API server's HTTP: a request comes in, an answer or a stream of chunks goes out.

Reads a URL and a body into the call that every component makes too, sends it down the same
transport, and writes the answer in the form that was asked for. Whatever goes wrong is answered
with a Status.

Rule of use: `await gateway.handle(http)` inside the simulation; it takes the virtual time that the
call takes.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from k8slab.api import errors, scheme
from k8slab.api.core import Node, Pod, Service
from k8slab.api.errors import ApiError
from k8slab.api.meta import Status
from k8slab.api.scheme import Resource
from k8slab.client import (
    ConnectionFailed,
    Listing,
    Notes,
    Request,
    TextStream,
    Transport,
    WatchStream,
)
from k8slab.gateway import (
    bodies,
    credentials,
    discovery,
    encoding,
    health,
    options,
    proxying,
    watches,
)
from k8slab.gateway.messages import (
    TEXT,
    Headers,
    HttpRequest,
    HttpResponse,
    HttpStream,
    http_request,
    method_not_allowed,
    of_error,
    of_status,
)
from k8slab.gateway.negotiation import Form, accepted
from k8slab.gateway.paths import PROXY, parse, target
from k8slab.gateway.warning_headers import headers_of
from k8slab.sim import Simulation

METRICS = "/metrics"
EXPOSITION = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"  # Prometheus' form
REDIRECTS, MAX_REDIRECTS = (301, 302, 303, 307, 308), 10
UPGRADED = frozenset({"exec", "attach", "portforward"})  # served as websockets only


class Gateway:
    """Answers HTTP requests by way of a transport."""

    def __init__(self, sim: Simulation, transport: Transport) -> None:
        self._sim = sim
        self._transport = transport

    async def handle(self, http: HttpRequest) -> HttpResponse | HttpStream:
        """Answer one request; whatever was wrong with it is in the answer."""
        try:
            if target(http.path) is not None:
                return await self._resources(http, discovery.BUILT_IN)
            rows = await self._rows(http)
            if target(http.path, rows) is not None:
                return await self._resources(http, rows)
            return await self._other(http, rows)
        except ApiError as refused:
            return of_error(refused)
        except ConnectionFailed as failed:
            return of_error(errors.service_unavailable(str(failed)))

    async def fetch(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, str]:
        """Answer a request without sockets; return the status and the text, a stream to its end.

        Redirects within the server are followed, as Go's client does.
        """
        for _ in range(MAX_REDIRECTS):
            answer = await self.handle(http_request(method, url, headers=headers, body=body))
            to = _redirected(answer)
            if not to or method != "GET":
                break
            url = to
        if isinstance(answer, HttpResponse):
            return answer.status, answer.body.decode("utf-8", "replace")
        chunks: list[bytes] = []
        await answer.produce(chunks.append)
        return 200, b"".join(chunks).decode("utf-8", "replace")

    async def _rows(self, http: HttpRequest) -> discovery.Rows:
        """Return the kinds that are served: built in, defined, and those of the metrics API."""
        if not http.path.startswith(("/apis", "/openapi")) and http.path != "/":
            return discovery.BUILT_IN
        definitions = await self._ask("customresourcedefinitions", "apiextensions.k8s.io")
        rows = (*discovery.BUILT_IN, *scheme.defined(definitions.items if definitions else ()))
        metrics = scheme.AGGREGATED[0]
        if await self._ask(metrics.plural, metrics.group) is not None:
            rows = (*rows, *scheme.AGGREGATED)
        return rows

    async def _ask(self, resource: str, group: str) -> Listing | None:
        """Return all objects of a resource, None if nobody serves it just now."""
        user = "system:apiserver"
        request = Request(verb="list", resource=resource, group=group, user=user)
        try:
            return cast(Listing, await self._transport.request(request))
        except ApiError:
            return None

    async def _resources(
        self, http: HttpRequest, rows: discovery.Rows
    ) -> HttpResponse | HttpStream:
        """Answer a request about objects."""
        form = accepted(http.header("accept"))
        resource, request = parse(http, rows)
        if request.subresource == PROXY and resource.type in (Pod, Service, Node):
            return await self._proxied(http, request)
        options.check(http, request)
        if resource.kind == "Pod" and request.subresource in UPGRADED:
            raise errors.bad_request("Upgrade request required")
        notes = Notes()
        request = bodies.read(http, resource, replace(request, as_table=form.is_table, notes=notes))
        try:
            answer = await self._transport.request(request)
        except ApiError as refused:
            if request.verb != "watch" or refused.reason != "Expired":
                raise
            return HttpStream(produce=partial(watches.fail, refused.status))
        headers = headers_of(notes.warnings)
        if isinstance(answer, WatchStream):
            produce = partial(watches.produce, self._sim, answer, request, form)
            return HttpStream(produce=produce, headers=headers)
        if not isinstance(answer, WatchStream) and isinstance(answer, TextStream):
            return HttpStream(produce=partial(watches.follow, answer), content_type="text/plain")
        return _response(answer, resource, request, form, headers)

    async def _proxied(self, http: HttpRequest, request: Request) -> HttpResponse:
        """Answer with what a program in the cluster says."""
        moved = proxying.redirect(http)
        if moved is not None:
            return moved
        asked = replace(request, body=proxying.call_of(http))
        return proxying.response(http, await self._transport.request(asked))

    async def _other(self, http: HttpRequest, rows: discovery.Rows) -> HttpResponse:
        """Answer a request about the server itself, if there is one that answers."""
        path = http.path.rstrip("/")
        found = _document(http, rows)
        is_health = path.strip("/").partition("/")[0] in health.CHECKS
        if found is None and not is_health and path != METRICS:
            return health.NOT_FOUND
        if http.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        failed = None
        try:
            said = await self._transport.request(
                Request(verb="get", resource="", url=http.path, **credentials.of(http))
            )
        except ApiError as refused:
            if refused.code < 500:
                raise
            failed = refused
        if is_health:
            return health.answer(path, http.query, failed)
        if path == METRICS and failed is None:
            return HttpResponse(body=said.encode(), content_type=EXPOSITION)
        return found if found is not None else of_error(cast(ApiError, failed))


def _redirected(answer: HttpResponse | HttpStream) -> str:
    """Return the path that the client is sent to, "" if it is not."""
    if isinstance(answer, HttpStream) or answer.status not in REDIRECTS:
        return ""
    to = dict(answer.headers).get("Location", "")
    return to if to.startswith("/") else ""


def _response(
    answer: Any, resource: Resource, request: Request, form: Form, headers: Headers
) -> HttpResponse:
    """Return the answer of the API server as an answer over HTTP."""
    if isinstance(answer, str):
        return HttpResponse(body=answer.encode(), content_type="text/plain", headers=headers)
    if request.verb == "delete":
        answer = encoding.of_deletion(answer, resource)
    if isinstance(answer, Status):
        return replace(of_status(answer), headers=headers)
    notes = request.notes
    created = request.verb == "create" or (notes is not None and notes.created)
    return HttpResponse(
        status=201 if created else 200,
        body=encoding.encode(answer, resource, form),
        content_type=form.media_type,
        headers=headers,
    )


def _document(http: HttpRequest, rows: discovery.Rows) -> HttpResponse | None:
    """Return what discovery and OpenAPI say at a path; None if they say nothing."""
    path = http.path.rstrip("/")
    if path == "/openapi/v2":
        return _openapi_v2(http, rows)
    form = accepted(http.header("accept"))
    if not path:
        return HttpResponse(body=msgspec.json.encode({"paths": discovery.paths(rows)}))
    if path.startswith("/openapi/v3"):
        from k8slab.gateway import openapi

        document = openapi.document(path, rows)
    else:
        document = discovery.document(path, form, rows)
    if document is None:
        return None
    content_type = TEXT if path == "/openapi/v3" else form.media_type
    if document.get("kind") == "APIGroupDiscoveryList":
        content_type += f";g={form.group};v={form.version};as={form.view}"
    return HttpResponse(body=msgspec.json.encode(document), content_type=content_type)


def _openapi_v2(http: HttpRequest, rows: discovery.Rows) -> HttpResponse:
    """Return OpenAPI v2, in JSON or in protobuf."""
    from k8slab.gateway import openapi_v2, openapi_v2_protobuf

    document = openapi_v2.document(rows)
    asked = http.header("accept")
    if openapi_v2_protobuf.ASKED in asked:
        body = openapi_v2_protobuf.encode(document)
        return HttpResponse(body=body, content_type=openapi_v2_protobuf.MEDIA_TYPE)
    return HttpResponse(body=msgspec.json.encode(document), content_type=accepted(asked).media_type)
