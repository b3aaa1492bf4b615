"""A past moment of a cluster: its objects, and what kubectl would have printed.

    moment = cluster.at(21.5)
    moment.kubectl("get pods -o wide")       # ages and states as they were
    moment.node("worker-1").shell("iptables-save -t nat")

`kubectl` is answered by a real API server that is started on etcd's data of that revision. What is
not in etcd (rules, connections, logs) is looked at in a fork, made when first asked for.

Rule of use: nothing done here reaches the cluster; what would change the past is refused.

Upstream: none (etcdctl snapshot restore does this there)
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from k8slab.api import errors
from k8slab.client import Request
from k8slab.cluster.node_shell import Text
from k8slab.cluster.view import View
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.sim import Simulation

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster
    from k8slab.cluster.node_shell import NodeShell

LIMIT = 3600.0  # virtual seconds of a command that waits for what does not come any more
READING = ("get", "list", "watch")


class Moment(View):
    """All objects as of one moment, and tools to look at them."""

    def __init__(self, cluster: Cluster, revision: int, time: float) -> None:
        super().__init__(cluster.backend, revision, time)
        self._cluster = cluster
        self._fork: Cluster | None = None

    def kubectl(self, command: str, stdin: str = "") -> Text:
        """Return what a kubectl command would have printed then; it can only look."""
        from k8slab.gateway.gateway import Gateway
        from k8slab.kubectl import Kubectl

        sim = Simulation()
        sim.now = self.time
        transport = PastTransport(sim, self._backend, self.revision)
        kubectl = Kubectl(
            transport, lambda: sim.now, sleep=sim.sleep, http=Gateway(sim, transport).fetch
        )
        result = sim.complete(kubectl.run(command, stdin), f"kubectl {command}", LIMIT)
        return Text(result.output)

    @property
    def fork(self) -> Cluster:
        """A cluster at that moment, with a future of its own."""
        if self._fork is None:
            self._fork = self._cluster.fork(at=self.time)
        return self._fork

    def node(self, name: str) -> NodeShell:
        """Return a shell on a machine as it was: its rules, connections, files and journal."""
        return self.fork.node(name)

    def rules(self, node: str, table: str = "nat") -> Text:
        """Return the text of a node's iptables rules as they were."""
        return self.node(node).shell(f"iptables-save -t {table}")

    def __repr__(self) -> str:
        return f"<the cluster at {self.time:.3f} s, revision {self.revision}>"


class PastTransport:
    """The way to an API server that knows one revision, and takes no changes."""

    def __init__(self, sim: Simulation, backend: Backend, revision: int) -> None:
        etcd = Endpoint()
        etcd.serve(Etcd(sim, snapshot(backend, revision)))
        self._server = APIServer(sim, etcd, kubelet=_no_processes)
        self._server.start()

    async def request(self, request: Request) -> Any:
        """Answer at once; raises ApiError."""
        if request.verb not in READING:
            raise errors.bad_request(
                "the past cannot be changed: fork it with cluster.fork(at=...) and change that"
            )
        answer = self._server.handle(request)
        return await answer if isinstance(answer, Awaitable) else answer


def snapshot(backend: Backend, revision: int) -> Backend:
    """Return a backend that holds what one held at a revision, with the same revisions."""
    taken = Backend()
    taken.keys = {kv.key: [kv] for kv in backend.range("/", revision)}
    taken.revision = taken.compacted = revision
    taken.log_start = revision + 1
    return taken


async def _no_processes(node: str, request: Request) -> Any:
    raise errors.bad_request(
        f"etcd keeps objects, and no {request.subresource} of processes on {node}: "
        "cluster.fork(at=...) has them running"
    )
