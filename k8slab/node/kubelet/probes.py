"""One probe: a request, a connection, a command or a health check, and what came of it.

Every probe but `exec` goes from the host's network namespace to the Pod's address, over the same
links and rules as other packets. The output of a failure is the text that its Event shows.

Rule of use: `run_probe` never raises; it answers success, failure or unknown.

Upstream: pkg/probe/{http,tcp,exec,grpc}
"""

from __future__ import annotations

import msgspec

from k8slab.api.core import Container, ExecAction, GRPCAction, HTTPGetAction, Pod, Probe
from k8slab.api.core import TCPSocketAction as TcpSocketAction
from k8slab.linux.addresses import joined
from k8slab.linux.errors import ConnectionRefused, NetworkError, TimedOut
from k8slab.linux.go_words import dial_error, http_error
from k8slab.node import grpc_health, http
from k8slab.node.interfaces import RuntimeFailed
from k8slab.node.kubelet.dependencies import Dependencies
from k8slab.node.kubelet.handlers import HookFailed, address_of, resolve_port

SUCCESS, FAILURE, UNKNOWN = "success", "failure", "unknown"
EXEC_TIMED_OUT = 124  # RuntimeService.exec_sync
MAX_OUTPUT = 10 * 1024  # bytes of a command's output that are kept
Result = tuple[str, str]  # answer, output


class Target(msgspec.Struct, frozen=True):
    """Whom to ask, and how."""

    pod: Pod
    container: Container
    container_id: str
    ip: str
    probe: Probe

    @property
    def timeout(self) -> float:
        """How many seconds the whole probe may take."""
        return float(self.probe.timeoutSeconds or 1)


async def run_probe(deps: Dependencies, target: Target) -> Result:
    """Return the answer and, for a failure, its output."""
    probe = target.probe
    try:
        if probe.httpGet is not None:
            return await _http(deps, target, probe.httpGet)
        if probe.tcpSocket is not None:
            return await _tcp(deps, target, probe.tcpSocket)
        if probe.grpc is not None:
            return await _grpc(deps, target, probe.grpc)
        if probe.exec is not None:
            return await _exec(deps, target, probe.exec)
    except HookFailed as error:
        return UNKNOWN, str(error)
    return UNKNOWN, f"missing probe handler for {target.container.name}"


async def _http(deps: Dependencies, target: Target, action: HTTPGetAction) -> Result:
    host = action.host or target.ip
    ip = address_of(host)
    port = resolve_port(action.port, target.container)
    path = action.path if action.path.startswith("/") else f"/{action.path}"
    headers = {"Host": joined(host, port), "User-Agent": "kube-probe/1.37", "Accept": "*/*"}
    headers |= {header.name: header.value for header in action.httpHeaders}
    headers["Connection"] = "close"
    request = http.Request("GET", path, headers)
    url = f"{(action.scheme or 'HTTP').lower()}://{joined(host, port)}{path}"
    if ip is None:
        return FAILURE, f'Get "{url}": dial tcp: lookup {host}: no such host'
    try:
        answer = await http.request(deps.machine.net, ip, port, request, timeout=target.timeout)
    except (NetworkError, EOFError, http.BadMessage) as error:
        return FAILURE, f'Get "{url}": {_http_error(error, ip, port)}'
    if 200 <= answer.status < 400:
        return SUCCESS, answer.text
    return FAILURE, f"HTTP probe failed with statuscode: {answer.status}"


def _http_error(error: Exception, host: str, port: int) -> str:
    if isinstance(error, TimedOut):
        return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    return http_error(error, host, port)


async def _tcp(deps: Dependencies, target: Target, action: TcpSocketAction) -> Result:
    host = action.host or target.ip
    ip = address_of(host)
    if ip is None:
        return FAILURE, f"dial tcp: lookup {host}: no such host"
    port = resolve_port(action.port, target.container)
    try:
        connection = await deps.machine.net.connect(ip, port, timeout=target.timeout)
    except NetworkError as error:
        return FAILURE, dial_error(error, ip, port)
    connection.close()
    return SUCCESS, ""


async def _grpc(deps: Dependencies, target: Target, action: GRPCAction) -> Result:
    address = joined(target.ip, action.port)
    try:
        status = await grpc_health.check(
            deps.machine.net, target.ip, action.port, action.service or "", target.timeout
        )
    except ConnectionRefused:
        return FAILURE, _grpc_timeout(address, target)
    except TimedOut:
        return FAILURE, _grpc_timeout(address, target)
    except NetworkError as error:
        return FAILURE, f"error: {dial_error(error, target.ip, action.port)}"
    except grpc_health.GrpcError as error:
        if error.code == grpc_health.UNAVAILABLE:  # who speaks no HTTP/2 is dialled again and again
            return FAILURE, _grpc_timeout(address, target)
        if error.code == grpc_health.DEADLINE_EXCEEDED:
            return FAILURE, f"timeout: health rpc did not complete within {target.timeout:g}s"
        if error.code == grpc_health.UNIMPLEMENTED:
            return FAILURE, (
                "error: this server does not implement the grpc health protocol "
                f"(grpc.health.v1.Health): {error}"
            )
        return FAILURE, f"error: health rpc probe failed: {error.words}"
    if status == grpc_health.SERVING:
        return SUCCESS, "service healthy"
    name = grpc_health.STATUS_NAMES[status]
    return FAILURE, f'service unhealthy (responded with "{name}")'


def _grpc_timeout(address: str, target: Target) -> str:
    # The client keeps dialling until its time is over, refused or not.
    return (
        f'timeout: failed to connect service "{address}" within {target.timeout:g}s: '
        "context deadline exceeded"
    )


async def _exec(deps: Dependencies, target: Target, action: ExecAction) -> Result:
    try:
        result = await deps.runtime.exec_sync(target.container_id, action.command, target.timeout)
    except RuntimeFailed as error:
        return UNKNOWN, f"rpc error: code = Unknown desc = {error}"
    if result.exit_code == EXEC_TIMED_OUT and not result.stdout:
        return FAILURE, f'command "{" ".join(action.command)}" timed out'
    output = (result.stdout + result.stderr)[:MAX_OUTPUT]
    return (SUCCESS if result.exit_code == 0 else FAILURE), output
