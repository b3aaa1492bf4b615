"""The way from each component to the API server: latency, refusal and partition happen here.

`ApiEndpoint` is the address at which an API server listens (or none does). `ClusterTransport` is
one host's way there: a call takes time, is refused when no server listens, and fails when the host
is cut off; watches break with the server or the link.

Rule of use: one transport per host; components see only the `Transport` protocol.

Upstream: none (client-go's rest client over HTTPS does this there)
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from weakref import WeakValueDictionary

from k8slab.client import ConnectionFailed, Latency, Request, WatchStream
from k8slab.control_plane.apiserver import APIServer
from k8slab.linux.addresses import joined
from k8slab.sim import Simulation

PORT = 6443  # --secure-port


class ApiEndpoint:
    """Where the API server is reached, and which hosts are cut off from it."""

    def __init__(self, sim: Simulation, address: str, latency: Latency) -> None:
        self.sim = sim
        self.address = address
        self.latency = latency
        self.server: APIServer | None = None
        self.cut_off: dict[str, None] = {}  # names of hosts, in order
        # By host and number: they break in the order in which they began.
        self._streams: dict[str, WeakValueDictionary[int, WatchStream]] = {}
        self._begun = 0

    @property
    def where(self) -> str:
        """Address and port, as clients name them."""
        return joined(self.address, PORT)

    def serve(self, server: APIServer) -> None:
        """Let the server answer from now on."""
        self.server = server

    def stop(self, server: APIServer) -> None:
        """Refuse connections from now on, unless another server has taken over."""
        server.stop()
        if self.server is server:
            self.server = None

    def reach(self, host: str) -> APIServer:
        """Return the server as that host reaches it; raises ConnectionFailed."""
        where = self.where
        if host in self.cut_off:
            raise ConnectionFailed(f"dial tcp {where}: i/o timeout")
        if self.server is None:
            raise ConnectionFailed(
                f"The connection to the server {where} was refused - did you specify the right "
                "host or port?"
            )
        return self.server

    def cut(self, host: str) -> None:
        """Cut a host off: its calls fail and its watches break."""
        self.cut_off[host] = None
        for stream in list(self._streams.pop(host, {}).values()):
            stream.close()

    def join(self, host: str) -> None:
        """Connect a host again."""
        self.cut_off.pop(host, None)

    def watched_from(self, host: str, stream: WatchStream) -> None:
        """Remember a watch, so that it breaks when the host is cut off."""
        self._begun += 1
        self._streams.setdefault(host, WeakValueDictionary())[self._begun] = stream


class ClusterTransport:
    """Requests from one host."""

    def __init__(self, endpoint: ApiEndpoint, host: str) -> None:
        self._endpoint = endpoint
        self._host = host

    async def request(self, request: Request) -> Any:
        """Carry one request there and its answer back; raises ApiError or ConnectionFailed."""
        endpoint = self._endpoint
        endpoint.reach(self._host)
        await endpoint.sim.sleep(endpoint.latency.api_call, request.resource)
        answer = endpoint.reach(self._host).handle(request)
        if isinstance(answer, WatchStream):
            endpoint.watched_from(self._host, answer)
        elif isinstance(answer, Awaitable):
            return await answer
        return answer
