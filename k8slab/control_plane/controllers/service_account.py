"""The service account controller: each namespace has a ServiceAccount named `default`.

Pods that name no other run as that one; deleted, it comes back at once.

Rule of use: namespaces that are being deleted get nothing new.

Upstream: pkg/controller/serviceaccount/serviceaccounts_controller.go
"""

from __future__ import annotations

from k8slab.api.core import Namespace, ServiceAccount
from k8slab.api.errors import ApiError
from k8slab.api.meta import ObjectMeta
from k8slab.client import Client, EventRecorder, Informers, WorkQueue
from k8slab.control_plane.controllers.controller_utils import decide

NAME = "default"


class ServiceAccountController:
    """The loop: at each change of a namespace or of a default ServiceAccount, look for it."""

    component = "service-account-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._namespaces = informers.informer(Namespace)
        self._accounts = informers.informer(ServiceAccount)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Keep the default ServiceAccounts for ever."""
        for informer in (self._namespaces, self._accounts):
            await informer.synced.wait()
        self._namespaces.add_handler(self._on_namespace)
        self._accounts.add_handler(self._on_account)
        await self._queue.run(self._sync)

    def _on_namespace(self, old: Namespace | None, new: Namespace | None) -> None:
        if new is not None:
            self._queue.add(new.metadata.name)

    def _on_account(self, old: ServiceAccount | None, new: ServiceAccount | None) -> None:
        if new is None and old is not None and old.metadata.name == NAME:
            self._queue.add(old.metadata.namespace)

    async def _sync(self, name: str) -> None:
        namespace = self._namespaces.by_key(name)
        if namespace is None or namespace.status.phase != "Active":
            return
        if self._accounts.get(name, NAME) is not None:
            return
        decide(self._sim, self.component, namespace, "no default ServiceAccount: create it")
        try:
            await self._client.create(
                ServiceAccount(metadata=ObjectMeta(name=NAME, namespace=name))
            )
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
