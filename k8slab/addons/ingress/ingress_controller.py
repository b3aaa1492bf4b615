"""The Ingress controller: Ingresses of its class in, a proxy's table and their status out.

Rule of use: `await IngressController(process, client).run()` in the container of
ingress-nginx; its flags are on the process' command line.

Upstream: ingress-nginx internal/ingress/controller, internal/ingress/status
"""

from __future__ import annotations

from msgspec import to_builtins

from k8slab.addons.ingress.backends import Backends
from k8slab.addons.ingress.flags import flag
from k8slab.addons.ingress.ingress_rules import (
    HTTP,
    HTTPS,
    is_ours,
    missing_certificates,
    rules,
    status_of,
)
from k8slab.addons.ingress.proxy import Process, Proxy
from k8slab.addons.ingress.routing import Table
from k8slab.api.core import Secret, Service
from k8slab.api.errors import ApiError
from k8slab.api.networking import Ingress, IngressClass
from k8slab.client import MERGE_PATCH, Client, ConnectionFailed, EventRecorder, Informers, WorkQueue

SYNC_EVERY = 60.0  # s, --update-status: how often addresses are looked at
SYNC_RATE = 1 / 0.3  # --sync-rate-limit 0.3: seconds between two configurations
TABLE = "table"  # the one key of the queue


class IngressController:
    """One loop for all Ingresses of a class."""

    component = "nginx-ingress-controller"

    def __init__(self, process: Process, client: Client) -> None:
        """Prepare; what it serves and where it publishes is on the command line."""
        sim = process.sim
        self._sim, self._client, self._process = sim, client, process
        self._controller = flag(process, "controller-class", "k8s.io/ingress-nginx")
        self._class = flag(process, "ingress-class", "nginx")
        self._service = flag(process, "publish-service", "")
        self._informers = Informers(sim, client)
        self._ingresses = self._informers.informer(Ingress)
        self._classes = self._informers.informer(IngressClass)
        self._secrets = self._informers.informer(Secret)
        self._backends = Backends(self._informers)
        self._recorder = EventRecorder(sim, client, self.component)
        self._queue = WorkQueue(sim, self.component)
        self._synced_at = float("-inf")
        self.proxy = Proxy(process, self._backends.targets)

    async def run(self) -> None:
        """Serve and follow the objects for ever; raises AddressInUse."""
        await self._informers.wait_for_sync()
        self._sync_table()
        self.proxy.listen_on((HTTP, HTTPS), (HTTPS,))
        self._ingresses.add_handler(self._on_ingress)
        self._classes.add_handler(lambda old, new: self._queue.add(TABLE))
        self._sim.spawn(self._publish(), f"{self.component}: status")
        await self._queue.run(self._sync)

    def ours(self) -> list[Ingress]:
        """Return the Ingresses of the class."""
        classes = {each.metadata.name: each for each in self._classes.all()}
        return [
            ingress
            for ingress in self._ingresses.all()
            if ingress.metadata.deletionTimestamp is None
            and is_ours(ingress, classes, self._controller, self._class)
        ]

    def _on_ingress(self, old: Ingress | None, new: Ingress | None) -> None:
        spec_stayed = old is not None and new is not None and old.spec == new.spec
        if spec_stayed and old.metadata.annotations == new.metadata.annotations:  # type: ignore[union-attr]
            return
        self._queue.add(TABLE)
        classes = {each.metadata.name: each for each in self._classes.all()}
        if new is not None and is_ours(new, classes, self._controller, self._class):
            self._recorder.event(new, "Normal", "Sync", "Scheduled for sync")

    async def _sync(self, _: str) -> None:
        wait = self._synced_at + SYNC_RATE - self._sim.now
        if wait > 0:
            await self._sim.sleep(wait, f"{self.component}: rate limit")
        self._sync_table()

    def _sync_table(self) -> None:
        self._synced_at = self._sim.now
        ours = self.ours()
        self.proxy.table = Table(rules(ours))
        for warning in missing_certificates(ours, self._secrets.get):
            self._process.error(warning)

    # -- status

    async def _publish(self) -> None:
        """Write down where the Ingresses can be reached, now and every minute."""
        while True:
            for ingress in self.ours():
                try:
                    await self._publish_one(ingress)
                except (ApiError, ConnectionFailed) as error:
                    self._process.error(f'"error updating ingress rule" err="{error}"')
            await self._sim.sleep(SYNC_EVERY, f"{self.component}: status")

    async def _publish_one(self, ingress: Ingress) -> None:
        wanted = status_of(self._published())
        if ingress.status.loadBalancer.ingress == wanted:
            return
        meta = ingress.metadata
        self._process.log(
            f'"updating Ingress status" namespace="{meta.namespace}" ingress="{meta.name}"'
        )
        change = {"status": {"loadBalancer": {"ingress": to_builtins(wanted) or None}}}
        await self._client.patch(
            Ingress, meta.name, change, meta.namespace, patch_type=MERGE_PATCH, subresource="status"
        )

    def _published(self) -> Service | None:
        namespace, _, name = self._service.partition("/")
        return self._backends.service(namespace, name)
