"""/healthz, /livez, /readyz: whether the API server works, as a whole and check by check.

    [+]ping ok
    [-]etcd failed: reason withheld
    ...
    readyz check failed

Those that start with "poststarthook" are what the server does once when it starts; of upstream's
it has those of which the lab has the work.

Rule of use: `answer(path, query, failed)`; `failed` is what the server said when it was asked, if
it could not answer.

Upstream: staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.errors import ApiError
from k8slab.gateway.messages import TEXT, HttpResponse

HOOKS = (
    "start-apiserver-admission-initializer",
    "start-apiextensions-informers",
    "start-apiextensions-controllers",
    "crd-informer-synced",
    "start-system-namespaces-controller",
    "storage-readiness",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "bootstrap-controller",
    "start-kubernetes-service-cidr-controller",
)
STARTED = tuple(f"poststarthook/{name}" for name in HOOKS)
CHECKS = {
    "healthz": ("ping", "log", "etcd", *STARTED),
    "livez": ("ping", "log", "etcd", *STARTED),
    "readyz": ("ping", "log", "etcd", "etcd-readiness", "informer-sync", *STARTED, "shutdown"),
}
OF_ETCD = ("etcd", "etcd-readiness")
NOT_FOUND = HttpResponse(status=404, body=b"404 page not found\n", content_type=TEXT)
NO_SNIFFING = (("X-Content-Type-Options", "nosniff"),)


def paths() -> list[str]:
    """Return all paths that answer."""
    return [f"/{name}{rest}" for name, checks in CHECKS.items() for rest in ("", *_below(checks))]


def answer(
    path: str, query: Sequence[tuple[str, str]], failed: ApiError | None = None
) -> HttpResponse:
    """Return the answer at a path such as "/readyz" or "/livez/etcd"."""
    name, _, check = path.strip("/").partition("/")
    if not check:
        return _whole(name, query, is_etcd_gone=failed is not None)
    if check not in CHECKS[name]:
        return NOT_FOUND
    if failed is not None and check in OF_ETCD:
        why = f"internal server error: {failed.status.message}\n"
        return _text(why, status=500)
    return _text("ok")


def _whole(name: str, query: Sequence[tuple[str, str]], *, is_etcd_gone: bool) -> HttpResponse:
    excluded = [value for key, value in query if key == "exclude"]
    lines, is_bad = [], False
    for check in CHECKS[name]:
        if check in excluded:
            lines.append(f"[+]{check} excluded: ok")
        elif is_etcd_gone and check in OF_ETCD:
            lines.append(f"[-]{check} failed: reason withheld")
            is_bad = True
        else:
            lines.append(f"[+]{check} ok")
    unknown = sorted(set(excluded) - set(CHECKS[name]))
    if unknown:
        quoted = ", ".join(f'"{check}"' for check in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
    if not is_bad and all(key != "verbose" for key, _ in query):
        return _text("ok")
    lines.append(f"{name} check {'failed' if is_bad else 'passed'}\n")
    return _text("\n".join(lines), status=500 if is_bad else 200)


def _text(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, body=text.encode(), content_type=TEXT, headers=NO_SNIFFING)


def _below(checks: Sequence[str]) -> list[str]:
    return [f"/{check}" for check in checks]
