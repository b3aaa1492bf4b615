"""Commands in containers over a websocket: `kubectl exec` and `kubectl attach`.

Each message begins with the number of its channel: 0 the input, 1 and 2 the outputs, 3 how it
ended (a Status), 4 the size of the terminal. The message 255, 0 says that the input is at its end.

Rule of use: `receive` what the client sends, inside the simulation; `run` until the command ends.

Upstream: staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from k8slab.api import errors
from k8slab.api.core import Pod
from k8slab.api.errors import ApiError
from k8slab.api.meta import Status, StatusCause, StatusDetails
from k8slab.client import ConnectionFailed, Request, Transport
from k8slab.gateway.paths import TRUE
from k8slab.node.interfaces import Streams
from k8slab.node.runtime.streams import Pipe
from k8slab.node.runtime.terminal import Terminal
from k8slab.sim import Simulation

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
SUBRESOURCES = ("exec", "attach")


class Channel:
    """An output that goes to the client under a number."""

    def __init__(self, number: int, send: Callable[[bytes], None]) -> None:
        self._number = bytes([number])
        self._send = send

    def write(self, text: str) -> None:
        """Send the text."""
        if text:
            self._send(self._number + text.encode())

    def close(self) -> None:
        """Do nothing: the session ends as a whole."""


class Session:
    """One command and its client."""

    def __init__(
        self, sim: Simulation, transport: Transport, request: Request, send: Callable[[bytes], None]
    ) -> None:
        self._transport = transport
        self._send = send
        options = dict(request.options)
        screen = Channel(STDOUT, send)
        if options.get("tty") in TRUE and request.subresource == "exec":
            terminal = Terminal(sim, screen)
            self.stdin: Pipe = terminal
            streams = Streams(stdin=terminal, stdout=terminal.output, stderr=terminal.output)
        else:
            self.stdin = Pipe(sim)
            errors_to = screen if options.get("tty") in TRUE else Channel(STDERR, send)
            streams = Streams(stdin=self.stdin, stdout=screen, stderr=errors_to)
        if options.get("stdin") not in TRUE:
            self.stdin.close()
        self._request = msgspec.structs.replace(request, verb="get", body=streams)

    def receive(self, message: bytes) -> None:
        """Take a message of the client."""
        if len(message) < 1:
            return
        channel, data = message[0], message[1:]
        if channel == CLOSE and data[:1] == bytes([STDIN]):
            self.stdin.close()
        elif channel == STDIN and data:
            self.type(data.decode("utf-8", "replace"))

    def type(self, text: str) -> None:
        """Give the command some input; none is wanted any more once it has ended."""
        if not self.stdin.reader_gone:
            self.stdin.write(text)

    async def run(self) -> None:
        """Run the command, and tell the client how it ended."""
        try:
            code = await self._transport.request(self._request)
            status = outcome(code)
        except ApiError as refused:
            status = refused.status
        except ConnectionFailed as failed:
            status = errors.service_unavailable(str(failed)).status
        self._send(bytes([ERROR]) + msgspec.json.encode(status))


async def check(transport: Transport, request: Request) -> None:
    """Raise ApiError if there is no such container: before the connection becomes a websocket."""
    pod: Pod = await transport.request(msgspec.structs.replace(request, verb="get", body=None))
    options = dict(request.options)
    known = [c.name for c in (*pod.spec.containers, *pod.spec.initContainers)]
    container = options.get("container", "")
    if container and container not in known:
        raise errors.bad_request(f"container {container} is not valid for pod {request.name}")
    if not container and len(pod.spec.containers) > 1:
        choice = " ".join(c.name for c in pod.spec.containers)
        raise errors.bad_request(
            f"a container name must be specified for pod {request.name}, choose one of: [{choice}]"
        )
    if not pod.spec.nodeName:
        raise errors.bad_request(f"pod {request.name} does not have a host assigned")
    if request.subresource == "exec" and "command" not in options:
        raise errors.bad_request("you must specify at least 1 command for the container")


def outcome(code: int) -> Status:
    """Return how a command ended, as a Status.

    >>> outcome(3).details.causes[0].message
    '3'
    """
    if code == 0:
        return Status(status="Success")
    details = StatusDetails(causes=(StatusCause(reason="ExitCode", message=str(code)),))
    return Status(
        status="Failure",
        message=f"command terminated with non-zero exit code: exit status {code}",
        reason="NonZeroExitCode",
        details=details,
    )
