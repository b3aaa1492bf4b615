"""Where an etcd server is reached: the API server's side of port 2379.

The process may die and another may open the same backend; who asks through an `Endpoint` sees a
refused connection meanwhile, and is told when a server is back.

Rule of use: ask for `server` at each call, never keep it.

Upstream: staging/src/k8s.io/apiserver/pkg/storage/storagebackend/factory
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.control_plane.etcd.mvcc import Etcd


class Unavailable(Exception):  # noqa: N818 (gRPC's word)
    """No etcd server answers."""

    def __init__(self, address: str) -> None:
        super().__init__(
            "rpc error: code = Unavailable desc = connection error: desc = "
            f'"transport: Error while dialing: dial tcp {address}: connect: connection refused"'
        )


class Endpoint:
    """An address at which at most one etcd server listens."""

    def __init__(self, address: str = "127.0.0.1:2379") -> None:
        self.address = address
        self._server: Etcd | None = None
        self._listeners: list[Callable[[Etcd], None]] = []

    @property
    def server(self) -> Etcd:
        """The server that listens there; raises Unavailable if none does."""
        if self._server is None:
            raise Unavailable(self.address)
        return self._server

    def serve(self, server: Etcd) -> None:
        """Let the server listen, and tell who waits for one."""
        self._server = server
        for listener in tuple(self._listeners):
            listener(server)

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server is not None:
            self._server.close()
        self._server = None

    def on_serve(self, listener: Callable[[Etcd], None]) -> Callable[[], None]:
        """Call `listener(server)` for each server that comes; the returned function ends that."""
        self._listeners.append(listener)
        if self._server is not None:
            listener(self._server)
        return lambda: self._listeners.remove(listener)
