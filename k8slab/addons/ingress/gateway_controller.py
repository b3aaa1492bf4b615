"""The Gateway controller: Gateways and HTTPRoutes in, a proxy's table and their status out.

The kinds are not built in: somebody has to have applied the Gateway API's definitions. Without them
the program ends, and the kubelet starts it again until they are there.

Rule of use: `await GatewayController(process, client).run()` in the container of
nginx-gateway-fabric; its flags are on the process' command line.

Upstream: nginx-gateway-fabric internal/controller/manager.go, handler.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8slab.addons.ingress.backends import Backends
from k8slab.addons.ingress.flags import flag
from k8slab.addons.ingress.gateway_plan import VERSION_ANNOTATION, Plan, State, plan
from k8slab.addons.ingress.ingress_rules import status_of
from k8slab.addons.ingress.proxy import Process, Proxy
from k8slab.addons.ingress.references import GROUP, Grants, dated
from k8slab.addons.ingress.routing import Table
from k8slab.api import scheme
from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.core import Namespace, Secret
from k8slab.api.errors import ApiError
from k8slab.api.meta import Object, timestamp
from k8slab.client import MERGE_PATCH, Client, Informer, Informers, WorkQueue
from k8slab.linux.errors import AddressInUse

KINDS = ("GatewayClass", "Gateway", "HTTPRoute", "ReferenceGrant")
BATCH = 0.1  # s in which changes are gathered, an assumption
ALL = "everything"  # the one key of the queue


class GatewayController:
    """One loop for all Gateways of the controller's classes."""

    component = "nginx-gateway-fabric"

    def __init__(self, process: Process, client: Client) -> None:
        """Prepare; whose classes it serves and where it can be reached is on the command line."""
        self._sim, self._client, self._process = process.sim, client, process
        self._name = flag(
            process, "gateway-ctlr-name", "gateway.nginx.org/nginx-gateway-controller"
        )
        self._service = flag(process, "service", "nginx-gateway/nginx-gateway")
        self._informers = Informers(process.sim, client)
        self._backends = Backends(self._informers)
        self._namespaces = self._informers.informer(Namespace)
        self._secrets = self._informers.informer(Secret)
        self._kinds: dict[str, Informer[Any]] = {}
        self._versions: tuple[str, ...] = ()  # of the definitions
        self._queue = WorkQueue(process.sim, self.component)
        self.proxy = Proxy(process, self._backends.targets, appends=True)
        self.proxy.table = Table(deep_wildcards=True)

    async def run(self) -> int:
        """Serve and follow the objects for ever; returns 1 if their kinds are not defined."""
        listing = await self._client.list(CustomResourceDefinition)
        found = {row.kind: row for row in scheme.defined(listing.items) if row.group == GROUP}
        for kind in KINDS:
            if kind not in found:
                group = f'"{GROUP}/v1"'
                self._process.error(f'no matches for kind "{kind}" in version {group}')
                return 1
            self._kinds[kind] = self._informers.informer(found[kind].type)
        definitions = [crd for crd in listing.items if crd.spec.group == GROUP]
        self._versions = tuple(
            each.metadata.annotations.get(VERSION_ANNOTATION, "") for each in definitions
        )
        await self._informers.wait_for_sync()
        for informer in (*self._kinds.values(), self._namespaces, self._secrets):
            informer.add_handler(self._on_change)
        self._backends.on_service(lambda: self._on_change(None, None))
        await self._queue.run(self._sync)
        return 0

    def _on_change(self, old: object, new: object) -> None:
        if len(self._queue) == 0:
            self._queue.add_after(ALL, BATCH)

    async def _sync(self, _: str) -> None:
        made = plan(self.state(), self._name)
        self._program(made)
        for obj, status in made.statuses:
            await self._tell(obj, status)

    def _program(self, made: Plan) -> None:
        self.proxy.table = Table(made.rules, deep_wildcards=True)
        try:
            self.proxy.listen_on(made.ports, made.secure)
        except AddressInUse as error:
            self._process.error(f"nginx: [emerg] bind() to {error.detail} failed (98)")

    def state(self) -> State:
        """Return all objects as last heard of."""
        namespace, _, name = self._service.partition("/")
        published = status_of(self._backends.service(namespace, name))
        return State(
            classes=self._all("GatewayClass"),
            gateways=self._all("Gateway"),
            routes=self._all("HTTPRoute"),
            grants=Grants(self._kinds["ReferenceGrant"].all()),
            service_of=self._backends.service,
            secret_of=self._secrets.get,
            labels_of=self._labels_of,
            addresses=tuple(each.ip for each in published if each.ip),
            versions=self._versions,
        )

    def _all(self, kind: str) -> tuple[Object, ...]:
        found = self._kinds[kind].all()
        return tuple(each for each in found if each.metadata.deletionTimestamp is None)

    def _labels_of(self, namespace: str) -> Mapping[str, str]:
        found = self._namespaces.get("", namespace)
        return found.metadata.labels if found is not None else {}

    # -- status

    async def _tell(self, obj: Object, status: Mapping[str, Any]) -> None:
        """Write the status of an object, if it does not say so already."""
        before = getattr(obj, "status", None) or {}
        now = timestamp(self._sim.now)
        wanted = _dated(status, before, obj.metadata.generation or 0, now)
        if all(_plain(before.get(name)) == value for name, value in wanted.items()):
            return
        meta = obj.metadata
        try:
            await self._client.patch(
                type(obj),
                meta.name,
                {"status": wanted},
                meta.namespace,
                patch_type=MERGE_PATCH,
                subresource="status",
            )
        except ApiError as error:
            if error.reason != "NotFound":
                raise


def _dated(
    status: Mapping[str, Any], before: Mapping[str, Any], generation: int, now: str
) -> dict[str, Any]:
    """Return the status with the times of all conditions in it."""
    found: dict[str, Any] = {}
    for name, value in status.items():
        if name == "conditions":
            found[name] = dated(value, before.get(name, ()), generation, now)
        elif name in ("listeners", "parents"):
            known = {_identity(each): each for each in before.get(name, ())}
            found[name] = [
                _dated(each, known.get(_identity(each), {}), generation, now) for each in value
            ]
        else:
            found[name] = _plain(value)
    return found


def _identity(each: Mapping[str, Any]) -> str:
    """Return by what an entry of a status is known: a listener's name, or a parent."""
    if "name" in each:
        return str(each["name"])
    parent = sorted(each["parentRef"].items())
    return f"{each['controllerName']} {parent}"


def _plain(value: Any) -> Any:
    """Return frozen data as JSON has it, so that it can be compared."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
