"""The doors that a cluster opens to programs outside of it: real kubectl, real dig.

What they do is no input that could be repeated, so a cluster that was open is not lived through
again.

Rule of use: inherited by `Cluster`.

Upstream: none
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from k8slab.cluster.breaking import COMMAND_LIMIT, Breakable
from k8slab.cluster.world import CONTROL_PLANE

if TYPE_CHECKING:
    from k8slab.gateway.dns import DnsServing
    from k8slab.gateway.serving import Serving


class Openable(Breakable, Protocol):
    """What can be opened: others may only try whether it is their turn, and come again."""

    @property
    def turn(self) -> threading.RLock:
        """Held by whoever moves the clock or acts."""


class Opening:
    """Doors, each open for the length of a `with` block."""

    def forget_past(self: Openable) -> None:
        """From now on keep some minutes of the past, so that memory stays as it is for days.

        `at`, `why` and the figures then reach back no further; `python -m k8slab serve` does this.
        """
        from k8slab.cluster import forgetting

        self.recording.spoil("it forgets its past")
        forgetting.keep_minutes(self.sim, self.world.etcd)

    def serve(self: Openable, port: int = 0, *, speed: float = 1.0) -> Serving:
        """Serve the API over HTTP on this machine while the block lasts: real kubectl works.

        `with cluster.serve() as url`: virtual time follows the wall clock at `speed` (float("inf"):
        no waiting while something happens). Cells and requests take turns.
        """
        from k8slab.gateway.serving import Serving

        self.recording.spoil("it was served to clients over HTTP")
        return Serving(self.sim, self.world.transport("you"), self.turn, port=port, speed=speed)

    def serve_dns(self: Openable, port: int = 0, *, node: str = CONTROL_PLANE) -> DnsServing:
        """Answer DNS questions of this machine while the block lasts: real dig works.

        `with cluster.serve_dns() as address`: over UDP and TCP on `address.host` and
        `address.port`. The machine `node` passes each question on to the kube-dns Service, through
        its rules; time passes only meanwhile.
        """
        from k8slab.cluster.dns_relay import relay
        from k8slab.gateway.dns import DnsServing

        net = self._host(node).machine.net
        server = self.world.subnets.dns

        def ask(protocol: str, question: bytes) -> bytes | None:
            with self.turn:
                name = f"{node} asks {server} for this machine"
                coroutine = relay(net, server, protocol, question)
                return self.sim.complete(coroutine, name, COMMAND_LIMIT)

        self.recording.spoil("it was asked by DNS clients")
        return DnsServing(ask, port)
