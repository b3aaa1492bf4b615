"""The root CA publisher: each namespace has a ConfigMap `kube-root-ca.crt`.

Pods mount it beside their token, to know the API server by its certificate. The lab has no TLS, so
what is published here is a certificate in form only.

Rule of use: changed or deleted, it comes back as it was.

Upstream: pkg/controller/certificates/rootcacertpublisher/publisher.go
"""

from __future__ import annotations

from k8slab.api.core import ConfigMap, Namespace
from k8slab.api.errors import ApiError
from k8slab.api.meta import ObjectMeta
from k8slab.client import Client, EventRecorder, Informers, WorkQueue
from k8slab.control_plane.controllers.controller_utils import decide

NAME = "kube-root-ca.crt"
KEY = "ca.crt"
DESCRIPTION = {
    "kubernetes.io/description": (
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
        "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
        "guaranteed across distributions of Kubernetes clusters."
    )
}
ROOT_CA = (  # --root-ca-file
    "-----BEGIN CERTIFICATE-----\n"
    "azhzbGFiIGhhcyBubyBUTFM6IHRoaXMgaXMgYSBjZXJ0aWZpY2F0ZSBpbiBmb3Jt\n"
    "IG9ubHku\n"
    "-----END CERTIFICATE-----\n"
)


class RootCaPublisher:
    """The loop: at each change of a namespace or of such a ConfigMap, see that it is right."""

    component = "root-ca-cert-publisher"

    def __init__(
        self,
        informers: Informers,
        client: Client,
        recorder: EventRecorder,
        *,
        root_ca: str = ROOT_CA,
    ) -> None:
        self._sim = informers.sim
        self._client = client
        self._data = {KEY: root_ca}
        self._namespaces = informers.informer(Namespace)
        self._config_maps = informers.informer(ConfigMap)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Publish for ever."""
        for informer in (self._namespaces, self._config_maps):
            await informer.synced.wait()
        self._namespaces.add_handler(self._on_namespace)
        self._config_maps.add_handler(self._on_config_map)
        await self._queue.run(self._sync)

    def _on_namespace(self, old: Namespace | None, new: Namespace | None) -> None:
        if new is not None:
            self._queue.add(new.metadata.name)

    def _on_config_map(self, old: ConfigMap | None, new: ConfigMap | None) -> None:
        config_map = new or old
        if old is not None and config_map is not None and config_map.metadata.name == NAME:
            self._queue.add(config_map.metadata.namespace)

    async def _sync(self, name: str) -> None:
        namespace = self._namespaces.by_key(name)
        if namespace is None or namespace.status.phase != "Active":
            return
        found = self._config_maps.get(name, NAME)
        if found is not None and found.data == self._data:
            return
        meta = ObjectMeta(name=NAME, namespace=name, annotations=DESCRIPTION)
        wanted = ConfigMap(metadata=meta, data=self._data)
        verb = "create" if found is None else "update"
        decide(self._sim, self.component, namespace, f"{verb} ConfigMap {NAME}")
        try:
            await getattr(self._client, verb)(wanted)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
