"""What the API server counts, for whoever scrapes /metrics: requests, watches, objects.

    apiserver_request_total{code="200",component="apiserver",...,resource="pods",...,verb="LIST"} 3

Every caller is counted, components and people alike, with the words that upstream uses: an update
is a PUT, a patch that applies is an APPLY.

Rule of use: `count` each request once, with the code of its answer; `text` when somebody asks.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/metrics/metrics.go,
staging/src/k8s.io/apiserver/pkg/storage/etcd3/metrics/metrics.go
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from k8slab.client import APPLY_PATCH, Request
from k8slab.control_plane.apiserver.cacher import Cache

VERBS = {"create": "POST", "update": "PUT"}  # others are written in capitals
OF_REQUESTS = (
    *("code", "component", "dry_run", "group", "resource", "scope", "subresource"),
    *("verb", "version"),
)
OF_WATCHES = ("component", "group", "resource", "scope", "subresource", "verb", "version")
CONNECTED = frozenset({"exec", "attach", "portforward"})
Labels = tuple[str, ...]
HELP = {
    "apiserver_longrunning_requests": (
        "gauge",
        "[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, "
        "version, resource, scope and component. Not all requests are tracked this way.",
    ),
    "apiserver_request_total": (
        "counter",
        "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, "
        "version, resource, scope, component, and HTTP response code.",
    ),
    "apiserver_resource_objects": (
        "gauge",
        "[ALPHA] Number of stored objects at the time of last check split by kind. In case of a "
        "fetching error, the value will be -1.",
    ),
}


class Metrics:
    """The counters of one API server; they begin at nothing when it starts."""

    def __init__(self) -> None:
        self._requests: Counter[Labels] = Counter()

    def count(self, request: Request, code: int) -> None:
        """Count a request that was answered with a code."""
        if request.url:
            return
        verb = _verb(request)
        if code == 200 and (verb == "POST" or (request.notes and request.notes.created)):
            code = 201
        self._requests[
            str(code),
            "apiserver",
            "All" if request.dry_run else "",
            request.group,
            request.resource,
            _scope(request.name or verb == "POST", request.namespace),
            request.subresource,
            verb,
            request.version or "v1",
        ] += 1

    def text(self, caches: Mapping[tuple[str, str], Cache]) -> str:
        """Return all of it in Prometheus' text format; `caches` by group and resource."""
        watches: Counter[Labels] = Counter()
        for (group, resource), cache in caches.items():
            for wanted in cache.watched():
                scope = _scope(wanted.exact("metadata.name"), wanted.namespace)
                watches["apiserver", group, resource, scope, "", "WATCH", "v1"] += 1
        objects: dict[Labels, int] = {key: len(cache) for key, cache in caches.items()}
        found = [
            *_family("apiserver_longrunning_requests", OF_WATCHES, watches),
            *_family("apiserver_request_total", OF_REQUESTS, self._requests),
            *_family("apiserver_resource_objects", ("group", "resource"), objects),
        ]
        return "".join(f"{line}\n" for line in found)


def _family(name: str, labels: Iterable[str], values: Mapping[Labels, int]) -> Iterator[str]:
    if not values:
        return
    kind, words = HELP[name]
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"
    for given, value in sorted(values.items()):
        pairs = ",".join(f'{label}="{text}"' for label, text in zip(labels, given, strict=True))
        yield f"{name}{{{pairs}}} {value}"


def _verb(request: Request) -> str:
    if request.subresource in CONNECTED:
        return "CONNECT"
    if request.verb == "patch" and request.patch_type == APPLY_PATCH:
        return "APPLY"
    return VERBS.get(request.verb, request.verb.upper())


def _scope(names_one: object, namespace: str) -> str:
    """Return how much a request is about: one object, a namespace, the cluster."""
    return "resource" if names_one else "namespace" if namespace else "cluster"
