"""Validation of probes and lifecycle hooks: exactly one handler, sensible numbers.

Upstream: pkg/apis/core/validation/validation.go (validateProbe, validateHandler)
"""

from __future__ import annotations

from k8slab.api.core import (
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    Lifecycle,
    LifecycleHandler,
    Probe,
    SleepAction,
    TCPSocketAction,
)
from k8slab.api.errors import forbidden_field, invalid_value, required
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    each,
    header_name,
    not_negative,
    one_of,
    port,
)

TIMES = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")


def lifecycle(path: str, hooks: Lifecycle, grace: int | None) -> Errors:
    """Yield what is wrong with hooks; `grace` is the Pod's, in seconds."""
    for name in ("postStart", "preStop"):
        hook = getattr(hooks, name)
        if hook is not None:
            yield from _handler(f"{path}.{name}", hook, HOOK_HANDLERS, grace)


def liveness(path: str, probe: Probe, grace: int | None) -> Errors:
    """Yield what is wrong with a liveness or startup probe: one success must do."""
    yield from _probe(path, probe, grace)
    if probe.successThreshold != 1:
        yield invalid_value(f"{path}.successThreshold", probe.successThreshold, "must be 1")


def readiness(path: str, probe: Probe, grace: int | None) -> Errors:
    """Yield what is wrong with a readiness probe: it kills nobody, so no grace period."""
    yield from _probe(path, probe, grace)
    if probe.terminationGracePeriodSeconds is not None:
        text = "must not be set for readinessProbes"
        where = f"{path}.terminationGracePeriodSeconds"
        yield invalid_value(where, probe.terminationGracePeriodSeconds, text)


def _probe(path: str, probe: Probe, grace: int | None) -> Errors:
    yield from _handler(path, probe, PROBE_HANDLERS, grace)
    for name in TIMES:
        value = getattr(probe, name)
        if value < 0:
            yield from not_negative(f"{path}.{name}", value)
    own = probe.terminationGracePeriodSeconds
    if own is not None and own <= 0:
        yield invalid_value(f"{path}.terminationGracePeriodSeconds", own, "must be greater than 0")


def _handler(
    path: str, owner: Probe | LifecycleHandler, names: tuple[str, ...], grace: int | None
) -> Errors:
    chosen = [name for name in names if getattr(owner, name) is not None]
    if not chosen:
        yield required(path, "must specify a handler type")
        return
    yield from _action(f"{path}.{chosen[0]}", getattr(owner, chosen[0]), grace)
    for name in chosen[1:]:
        yield forbidden_field(f"{path}.{name}", "may not specify more than 1 handler type")


def _action(
    path: str,
    action: ExecAction | HTTPGetAction | TCPSocketAction | GRPCAction | SleepAction,
    grace: int | None,
) -> Errors:
    if isinstance(action, HTTPGetAction):
        yield from _http_get(path, action)
    elif isinstance(action, ExecAction):
        if not action.command:
            yield required(f"{path}.command")
    elif isinstance(action, SleepAction):
        if grace is not None and not 0 <= action.seconds <= grace:
            text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            yield invalid_value(path, action.seconds, text)
    else:
        yield from each(f"{path}.port", action.port, port(action.port))


def _http_get(path: str, action: HTTPGetAction) -> Errors:
    if not action.path:
        yield required(f"{path}.path")
    yield from each(f"{path}.port", action.port, port(action.port))
    if action.scheme not in ("HTTP", "HTTPS"):
        yield from one_of(f"{path}.scheme", action.scheme or " ", ("HTTP", "HTTPS"))
    for header in action.httpHeaders:
        yield from each(f"{path}.httpHeaders", header.name, header_name(header.name))
