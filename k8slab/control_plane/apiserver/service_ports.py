"""Cluster addresses and node ports of Services: given out on creation, given back at the end.

A Service that needs an address gets one before it is validated; if anything fails afterwards, all
that was taken is given back, so that nothing leaks.

Rule of use: `allocate(service, old)` before validation, `release` when the Service is gone.

Upstream: pkg/registry/core/service/storage/alloc.go
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace

from k8slab.api import errors
from k8slab.api.core import Service, ServicePort
from k8slab.control_plane.apiserver.allocators import AllocationFailed, ClusterIPs, Full, NodePorts
from k8slab.control_plane.apiserver.service_families import family_of, with_families
from k8slab.control_plane.apiserver.service_types import drop_unneeded
from k8slab.sim import Rng

WITH_ADDRESS = ("ClusterIP", "NodePort", "LoadBalancer")
WITH_NODE_PORT = ("NodePort", "LoadBalancer")


class ServiceAllocator:
    """Who has which address and port; rebuilt from the Services when the API server starts."""

    def __init__(self, rng: Rng, ranges: Sequence[ClusterIPs], node_ports: NodePorts) -> None:
        self._rng = rng
        self.ranges = tuple(ranges)  # of the cluster's first family, and of the other if it has it
        self._ranges = {each.family: each for each in ranges}
        self._added: dict[str, list[ClusterIPs]] = {}  # by the ServiceCIDR that adds them
        self.node_ports = node_ports

    def adopt(self, service: Service) -> None:
        """Take note of a Service that has its addresses already."""
        for address in addresses_of(service):
            self._range_of(address).allocate(address, self._rng)
        for port in _node_ports(service):
            self.node_ports.allocate(port, self._rng)

    def allocate(self, new: Service, old: Service | None = None) -> Service:
        """Return the Service with all it needs; raises ApiError if something cannot be had."""
        if old is not None:
            new = drop_unneeded(new, old)
        with_families_ = with_families(new, old, tuple(self._ranges))
        with_address = with_ports = self._allocate_addresses(with_families_, old)
        try:
            with_ports = self._allocate_ports(with_address, old)
            return self._allocate_health_port(with_ports, old)
        except errors.ApiError:
            if with_ports is not with_address or with_address is not with_families_:
                health_port = old.spec.healthCheckNodePort if old else 0
                spec = replace(with_ports.spec, healthCheckNodePort=health_port)
                self.release(replace(with_ports, spec=spec), keep=old)
            raise

    def release(self, service: Service, keep: Service | None = None) -> None:
        """Give back what `service` has and `keep`, which takes its place, has not."""
        self._release_addresses(service, keep)
        kept = _node_ports(keep) if keep else ()
        for port in _node_ports(service):
            if port not in kept:
                self.node_ports.release(port)

    def _release_addresses(self, service: Service, keep: Service | None) -> None:
        self._give_back(addresses_of(service), addresses_of(keep) if keep else ())

    def add_ranges(self, name: str, cidrs: Sequence[str]) -> None:
        """Take addresses from the ranges of a ServiceCIDR too, or from none of it any more."""
        first = {str(each.network) for each in self.ranges}
        self._added[name] = [
            ClusterIPs(cidr, self._ranges[family_of(cidr.partition("/")[0])].used)
            for cidr in cidrs
            if cidr not in first and family_of(cidr.partition("/")[0]) in self._ranges
        ]

    def _of_family(self, family: str) -> list[ClusterIPs]:
        added = (each for ranges in self._added.values() for each in ranges)
        return [self._ranges[family], *(each for each in added if each.family == family)]

    def _range_of(self, address: str) -> ClusterIPs:
        """Return the smallest range that has the address, else the first of its family."""
        known = self._of_family(family_of(address))
        having = [each for each in known if each.has(address)]
        return max(having, key=lambda each: each.network.prefixlen, default=known[0])

    def _allocate_addresses(self, new: Service, old: Service | None) -> Service:
        """Give an address of each family that the Service has."""
        spec = new.spec
        if spec.type not in WITH_ADDRESS:
            cleared = replace(spec, clusterIP="", clusterIPs=())
            return replace(new, spec=cleared) if spec.type == "ExternalName" else new
        before = addresses_of(old) if old else ()
        wanted = list(spec.clusterIPs or ((spec.clusterIP,) if spec.clusterIP else ()))
        if old is not None and not wanted:
            wanted = list(old.spec.clusterIPs or (old.spec.clusterIP,))
        if spec.clusterIP and wanted[0] != spec.clusterIP and wanted[0] in before:
            wanted[0] = spec.clusterIP  # the old field alone was changed
        if wanted[:1] == ["None"]:
            return replace(new, spec=replace(spec, clusterIP="None", clusterIPs=("None",)))
        if len(wanted) > len(spec.ipFamilies) or not all(
            f in self._ranges for f in spec.ipFamilies
        ):
            return new  # validation has the words for it
        taken: list[str] = []
        for index, family in enumerate(spec.ipFamilies):
            asked = wanted[index] if index < len(wanted) else ""
            try:
                kept = asked in before and asked
                taken.append(kept or self._allocate_address(new, family, asked))
            except ValueError:
                self._give_back(taken, before)
                return new  # not an address at all, or of another family
            except errors.ApiError:
                self._give_back(taken, before)
                raise
        return replace(new, spec=replace(spec, clusterIP=taken[0], clusterIPs=tuple(taken)))

    def _allocate_address(self, new: Service, family: str, wanted: str) -> str:
        if wanted and family_of(wanted) != family:
            raise ValueError(wanted)
        if wanted:
            try:
                return self._range_of(wanted).allocate(wanted, self._rng)
            except AllocationFailed as failure:
                raise _invalid(new, "spec.clusterIPs", [wanted], str(failure)) from None
        for each in self._of_family(family):
            with suppress(Full):
                return each.allocate("", self._rng)
        raise errors.internal("failed to allocate a serviceIP: range is full")

    def _give_back(self, addresses: Sequence[str], kept: Sequence[str]) -> None:
        for address in addresses:
            if address not in kept:
                self._range_of(address).release(address)

    def _allocate_ports(self, new: Service, old: Service | None) -> Service:
        if new.spec.type not in WITH_NODE_PORT:
            return new
        if new.spec.type == "LoadBalancer" and new.spec.allocateLoadBalancerNodePorts is False:
            return new
        had = {port.nodePort for port in old.spec.ports} if old else set()
        taken: list[int] = []
        ports: list[ServicePort] = []
        try:
            for index, port in enumerate(new.spec.ports):
                ports.append(self._node_port(new, index, port, (*had, *taken)))
                if ports[-1].nodePort not in had:
                    taken.append(ports[-1].nodePort)
        except errors.ApiError:
            for number in taken:
                self.node_ports.release(number)
            raise
        return replace(new, spec=replace(new.spec, ports=tuple(ports)))

    def _node_port(
        self, service: Service, index: int, port: ServicePort, ours: tuple[int, ...]
    ) -> ServicePort:
        if port.nodePort and port.nodePort in ours:  # one number may serve TCP and UDP
            return port
        try:
            number = self.node_ports.allocate(port.nodePort, self._rng)
        except AllocationFailed as failure:
            path = f"spec.ports[{index}].nodePort"
            raise _invalid(service, path, port.nodePort, str(failure)) from None
        except Full:
            raise errors.internal("failed to allocate a nodePort: range is full") from None
        return replace(port, nodePort=number)

    def _allocate_health_port(self, new: Service, old: Service | None) -> Service:
        """Give the port at which nodes tell a load balancer of their endpoints, or take it away."""
        had = old.spec.healthCheckNodePort if old is not None else 0
        port = new.spec.healthCheckNodePort
        if not needs_health_port(new):
            # What the old type needed is not the user's wish; another number is, and invalid.
            return _with_health_port(new, 0) if port and port == had else new
        if had and port not in (0, had):
            raise _invalid(new, "spec.healthCheckNodePort", port, "field is immutable")
        if had:
            return _with_health_port(new, had)
        try:
            return _with_health_port(new, self.node_ports.allocate(port, self._rng))
        except AllocationFailed as failure:
            text = f"failed to allocate requested HealthCheck NodePort {port}: {failure}"
            raise errors.internal(text) from None
        except Full:
            text = "failed to allocate a HealthCheck NodePort: range is full"
            raise errors.internal(text) from None


def needs_health_port(service: Service) -> bool:
    """Say whether a load balancer has to know on which nodes the endpoints are."""
    return service.spec.type == "LoadBalancer" and service.spec.externalTrafficPolicy == "Local"


def _with_health_port(service: Service, port: int) -> Service:
    return replace(service, spec=replace(service.spec, healthCheckNodePort=port))


def _node_ports(service: Service) -> tuple[int, ...]:
    numbers = [port.nodePort for port in service.spec.ports]
    numbers += [service.spec.healthCheckNodePort] if needs_health_port(service) else []
    return tuple(dict.fromkeys(number for number in numbers if number))


def addresses_of(service: Service) -> tuple[str, ...]:
    """Return the cluster addresses that a Service has."""
    addresses = service.spec.clusterIPs or (service.spec.clusterIP,)
    return tuple(address for address in addresses if address not in ("", "None"))


def _invalid(service: Service, path: str, value: object, detail: str) -> errors.ApiError:
    field_error = errors.invalid_value(path, value, detail)
    return errors.invalid("Service", service.metadata.name, [field_error])
