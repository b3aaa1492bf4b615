"""Lifecycle hooks: what a container wants done after its start and before its stop.

A hook is a command, an HTTP request or a wait. After the start the container counts as started
only when its hook has ended, and a failing hook costs it its life; before the stop the hook's time
is taken out of the grace period, and a failing hook changes nothing.

Rule of use: `run_handler` raises HookFailed; the caller decides what that means.

Upstream: pkg/kubelet/lifecycle/handlers.go
"""

from __future__ import annotations

import json

from k8slab.api.core import Container, HTTPGetAction, LifecycleHandler
from k8slab.linux.addresses import ip_int, ip_text, is_ipv6, joined
from k8slab.linux.errors import NetworkError
from k8slab.node import http
from k8slab.node.kubelet.dependencies import Dependencies

EXEC_TIMEOUT = 1e6  # s: a hook may take as long as it likes, only the grace period ends it


class HookFailed(Exception):  # noqa: N818 (upstream: FailedPostStartHook)
    """The hook ended badly; the message is what the node's log says of it."""


async def run_handler(
    deps: Dependencies, handler: LifecycleHandler, container: Container, container_id: str, ip: str
) -> None:
    """Run the hook to its end; it is the caller who limits its time."""
    if handler.sleep is not None:
        await deps.sim.sleep(float(handler.sleep.seconds), f"hook of {container.name}")
    elif handler.exec is not None:
        command = handler.exec.command
        result = await deps.runtime.exec_sync(container_id, command, EXEC_TIMEOUT)
        if result.exit_code != 0:
            raise HookFailed(
                f"command '{' '.join(command)}' exited with {result.exit_code}: "
                f"{result.stdout}{result.stderr}"
            )
    elif handler.httpGet is not None:
        await _http_get(deps, handler.httpGet, container, ip)


async def _http_get(
    deps: Dependencies, action: HTTPGetAction, container: Container, ip: str
) -> None:
    port = resolve_port(action.port, container)
    host = action.host or ip
    address = address_of(host)
    if address is None:
        raise HookFailed(f"dial tcp: lookup {host}: no such host")
    where = joined(host, port)
    headers = {"Host": where, "User-Agent": "kube-lifecycle/1.37"}
    headers |= {header.name: header.value for header in action.httpHeaders}
    request = http.Request("GET", action.path or "/", headers)
    try:
        answer = await http.request(deps.machine.net, address, port, request)
    except (NetworkError, EOFError, http.BadMessage) as error:
        raise HookFailed(f"Get {json.dumps(f'http://{where}')}: {error}") from None
    if answer.status >= 400:
        raise HookFailed(f"HTTP probe failed with statuscode: {answer.status}")


def resolve_port(port: int | str, container: Container) -> int:
    """Return the number of a port that may be a name in the container's list. Raises HookFailed."""
    if isinstance(port, int):
        return port
    for known in container.ports:
        if known.name == port:
            return known.containerPort
    if port.isdigit():
        return int(port)
    raise HookFailed(f"couldn't find port: {port}")


def address_of(host: str) -> str | None:
    """Return the address that a probe's or hook's `host` stands for, None if it has none.

    The node asks no DNS server: of names it knows only its own.
    """
    if host == "localhost":
        return "127.0.0.1"
    try:
        number = ip_int(host)
    except ValueError:
        return None
    return ip_text(number, is_ipv6(host))
