"""The kubernetes plugin: which records the objects of the cluster make, and nothing else.

    web.default.svc.cluster.local            A      the cluster IP; headless: every ready endpoint
    _http._tcp.web.default.svc...            SRV    port and target of a named port
    a.web.default.svc... / 10-244-1-5.web... A      one endpoint, by hostname or by address
    10-244-1-5.default.pod.cluster.local     A      that address (pods insecure)
    2.1.96.10.in-addr.arpa                   PTR    the Service or endpoint with the address

A name that does not exist is NXDOMAIN; one that exists without such a record is NODATA, as are
names that only have others below them (default.svc.cluster.local). Both carry the SOA record, which
says how long that may be remembered. Where the specification is silent, CoreDNS decides: TXT and
SOA questions about other names are NODATA whether the name exists or not, and AXFR is refused.

Rule of use: `answer` is pure; it follows a CNAME inside the cluster only, the server does the
rest.

Upstream: coredns plugin/kubernetes (kubernetes.go, handler.go, parse.go), plugin/backend_lookup.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import msgspec

from k8slab.addons.coredns.names import (
    ParsedName,
    address_of_dashes,
    address_of_reverse,
    dashes,
    is_in,
    is_ip,
    parse_request,
)
from k8slab.addons.coredns.records import (
    NOERROR,
    NXDOMAIN,
    REFUSED,
    Answer,
    Record,
    Source,
    Tables,
    cluster_ips,
)
from k8slab.api.core import Pod, Service
from k8slab.api.discovery import Endpoint, EndpointSlice
from k8slab.api.labels import parse as parse_selector

SCHEMA_VERSION = "1.1.0"  # of the DNS specification; upstream DNSSchemaVersion
SCHEMA_TTL = 28800  # s
MAX_SOA_TTL = 300  # s, plugin/backend_lookup.go
MAX_CNAMES = 8
TRANSFERS = ("AXFR", "IXFR")  # of whole zones
REVERSE_ZONES = ("in-addr.arpa.", "ip6.arpa.")


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the plugin, as the Corefile has them."""

    zones: tuple[str, ...] = ("cluster.local.", *REVERSE_ZONES)
    ttl: int = 30  # s
    pods: str = "insecure"  # disabled, insecure or verified
    fall_through: tuple[str, ...] = REVERSE_ZONES  # zones of which others may know more
    servers: tuple[tuple[str, str], ...] = ()  # CoreDNS itself: name in the zone, address
    serial: int = 0  # of the SOA record: when something changed last
    namespaces: tuple[str, ...] = ()  # that are served; all without any
    labels: str = ""  # a selector: only Services with these labels are served
    namespace_labels: str = ""  # a selector: only namespaces with these labels are
    pod_names: bool = False  # endpoint_pod_names: endpoints are called as their Pods
    endpoints: bool = True  # noendpoints: only cluster IPs are served
    ignores_empty: bool = False  # ignore empty_service: no ready endpoint, no name

    def serves(self, service: Service) -> bool:
        """Say whether the Service has names at all."""
        in_one = (service.metadata.namespace or "default") in (self.namespaces or ("",))
        labels = service.metadata.labels
        wanted = not self.labels or parse_selector(self.labels).matches(labels)
        return wanted and (in_one or not self.namespaces)

    def zone_of(self, name: str) -> str:
        """Return the longest zone that the name is in, "" if there is none."""
        found = [zone for zone in self.zones if is_in(name, zone)]
        return max(found, key=len, default="")

    @property
    def primary_zone(self) -> str:
        """The first zone of names, in which the targets of PTR records are."""
        return next((zone for zone in self.zones if not zone.endswith(REVERSE_ZONES)), "")

    def falls_through(self, name: str) -> bool:
        """Say whether the next plugin is to be asked for a name that does not exist."""
        return any(is_in(name, zone) for zone in self.fall_through)


class Target(msgspec.Struct, frozen=True, gc=False):
    """One thing a name stands for: an address (or a name), a port, and its own full name."""

    host: str
    name: str
    port: int = 0


# How names of the cluster are looked up: `look_up`, or what a learner puts in its place.
LookUp: TypeAlias = Callable[[str, str, Any, Config], Answer]


class NoSuchName(Exception):  # noqa: N818 (upstream: errNoItems)
    """The name does not exist."""


def answer(
    qname: str,
    qtype: str,
    *,
    services: Iterable[Service],
    endpoint_slices: Iterable[EndpointSlice],
    pods: Iterable[Pod] = (),
    config: Config | None = None,
    namespaces: Iterable[str] | None = None,
) -> Answer:
    """Return what CoreDNS answers to a question, given all objects.

    Objects need neither defaults nor validation. Without `namespaces` every namespace exists.
    """
    source = Tables(services, endpoint_slices, pods, namespaces)
    return look_up(qname, qtype, source, config or Config())


def look_up(qname: str, qtype: str, source: Source, config: Config) -> Answer:
    """Return what CoreDNS answers to a question, given something to look objects up in."""
    name = qname.lower().rstrip(".") + "."
    zone = config.zone_of(name)
    if not zone or qtype.upper() in TRANSFERS:
        return Answer(REFUSED)
    plugin = _Lookup(zone, source, config)
    try:
        answers, additional = plugin.records(name, qtype.upper())
    except NoSuchName:
        return Answer(NXDOMAIN, authority=(plugin.soa(),))
    if not answers:
        return Answer(NOERROR, authority=(plugin.soa(),))
    return Answer(NOERROR, _unique(answers), additional=_unique(additional))


Sections = tuple[list[Record], list[Record]]  # answers, additional


class _Lookup:
    """The look-up of one question in one zone."""

    def __init__(self, zone: str, source: Source, config: Config) -> None:
        self.zone, self.source, self.config = zone, source, config

    def records(self, name: str, qtype: str) -> Sections:
        """Return answers and additional records; raises NoSuchName."""
        if qtype == "PTR":
            return self._pointers(name), []
        if qtype == "SRV":
            return self._srv(name)
        if qtype == "SOA":
            return [self.soa()] if name == self.zone else [], []
        if qtype == "NS" and name == self.zone:
            servers = [(f"{server}.{self.zone}", ip) for server, ip in self.config.servers]
            glue = [self._address(*each) for each in servers]
            return [self._record(name, "NS", server) for server, _ in servers], glue
        if qtype == "TXT":
            version = Record(name, "TXT", SCHEMA_TTL, f'"{SCHEMA_VERSION}"')
            return [version] if name == f"dns-version.{self.zone}" else [], []
        if qtype in ("A", "AAAA", "CNAME"):
            return self._addresses(name, qtype, 0), []
        self.targets(name)  # no records of this type, but does the name exist?
        return [], []

    def soa(self) -> Record:
        """Return the zone's SOA record."""
        ttl = self.config.ttl
        data = (
            f"ns.dns.{self.zone} hostmaster.{self.zone} {self.config.serial} 7200 1800 86400 {ttl}"
        )
        return Record(self.zone, "SOA", min(ttl, MAX_SOA_TTL), data)

    def targets(self, name: str) -> list[Target]:
        """Return what the name stands for; raises NoSuchName."""
        if name == f"ns.dns.{self.zone}":
            return [Target(ip, name) for _, ip in self.config.servers]
        parsed = parse_request(name, self.zone)
        if parsed is None:
            raise NoSuchName(name)
        if not parsed.namespace:  # the zone itself, svc.cluster.local, pod.cluster.local
            return []
        if self.zone.endswith(REVERSE_ZONES):
            raise NoSuchName(name)
        served, labels = self.config.namespaces, self.config.namespace_labels
        exists = self.source.has_namespace(parsed.namespace, labels)
        if not exists or (served and parsed.namespace not in served):
            raise NoSuchName(name)
        if not parsed.name:
            return []
        return self._pod(parsed) if parsed.kind == "pod" else self._service(parsed)

    # -- what a name stands for

    def _pod(self, parsed: ParsedName) -> list[Target]:
        ip = address_of_dashes(parsed.name)
        known = self.config.pods == "insecure" or (
            self.config.pods == "verified" and self.source.has_pod(parsed.namespace, ip)
        )
        if not ip or not known:
            raise NoSuchName(parsed.name)
        return [Target(ip, f"{parsed.name}.{parsed.namespace}.pod.{self.zone}")]

    def _service(self, parsed: ParsedName) -> list[Target]:
        svc = self.source.service(parsed.namespace, parsed.name)
        if svc is None or not self.config.serves(svc):
            raise NoSuchName(parsed.name)
        name = f"{parsed.name}.{parsed.namespace}.svc.{self.zone}"
        if svc.spec.type == "ExternalName":
            if parsed.endpoint or is_ip(svc.spec.externalName):
                raise NoSuchName(parsed.name)
            return [Target(svc.spec.externalName, name)]
        addresses = cluster_ips(svc)
        every = ParsedName(namespace=parsed.namespace, name=parsed.name)
        if parsed.endpoint or not addresses:
            found = self._endpoints(parsed, name)
        elif self.config.ignores_empty and not self._endpoints(every, name):
            found = []
        else:
            found = [
                Target(ip, name, port.port)
                for port in svc.spec.ports
                if parsed.wants_port(port.name, port.protocol)
                for ip in addresses
            ]
        if not found:
            raise NoSuchName(parsed.name)
        return found

    def _endpoints(self, parsed: ParsedName, service: str) -> list[Target]:
        found: list[Target] = []
        if not self.config.endpoints:
            return found
        for each in self.source.slices(parsed.namespace, parsed.name):
            ports = [
                port.port or 0
                for port in each.ports
                if parsed.wants_port(port.name or "", port.protocol or "")
            ]
            if not each.ports and not parsed.port:
                ports = [0]  # a headless Service without ports still has addresses
            for endpoint in each.endpoints:
                if endpoint.conditions.ready is False:
                    continue
                for ip in endpoint.addresses:
                    host = endpoint_hostname(endpoint, ip, self.config.pod_names)
                    if parsed.endpoint in ("", host):
                        found += [Target(ip, f"{host}.{service}", port) for port in ports]
        return found

    # -- records

    def _addresses(self, name: str, qtype: str, depth: int) -> list[Record]:
        records: list[Record] = []
        for target in self.targets(name):
            if not is_ip(target.host):
                records += self._alias(name, target.host, qtype, depth)
            elif qtype == ("AAAA" if ":" in target.host else "A"):
                records.append(self._address(name, target.host))
        return records

    def _alias(self, name: str, host: str, qtype: str, depth: int) -> list[Record]:
        canonical = host.lower().rstrip(".") + "."
        alias = self._record(name, "CNAME", canonical)
        if qtype == "CNAME" or not is_in(canonical, self.zone):
            return [alias]
        if depth >= MAX_CNAMES:  # it goes in circles
            return []
        try:
            rest = self._addresses(canonical, qtype, depth + 1)
        except NoSuchName:
            rest = []
        return [alias, *rest] if rest else []

    def _srv(self, name: str) -> Sections:
        targets = [target for target in self.targets(name) if is_ip(target.host)]
        weight = max(100 // len(targets), 1) if targets else 0
        answers, additional = [], []
        for target in targets:
            if target.port:
                answers.append(self._record(name, "SRV", f"0 {weight} {target.port} {target.name}"))
                additional.append(self._address(target.name, target.host))
        return answers, additional

    def _pointers(self, name: str) -> list[Record]:
        ip = address_of_reverse(name)
        if not ip:
            self.targets(name)
            return []
        svc = self.source.service_with_ip(ip)
        domain = self.config.primary_zone
        if svc is not None and self.config.serves(svc):
            namespace = svc.metadata.namespace or "default"
            return [self._record(name, "PTR", f"{svc.metadata.name}.{namespace}.svc.{domain}")]
        by_pod, served = self.config.pod_names, self.config.namespaces
        slices = self.source.slices_with_ip(ip) if self.config.endpoints else ()
        hosts = [
            f"{endpoint_hostname(endpoint, ip, by_pod)}.{_service_of(each)}.svc.{domain}"
            for each in slices
            if not served or each.metadata.namespace in served
            for endpoint in each.endpoints
            if ip in endpoint.addresses and endpoint.conditions.ready is not False
        ]
        if not hosts:
            raise NoSuchName(name)
        return [self._record(name, "PTR", host) for host in hosts]

    def _address(self, name: str, ip: str) -> Record:
        return self._record(name, "AAAA" if ":" in ip else "A", ip)

    def _record(self, name: str, kind: str, data: str) -> Record:
        return Record(name, kind, self.config.ttl, data)


def endpoint_hostname(endpoint: Endpoint, ip: str, pod_names: bool = False) -> str:
    """Return the first label of an endpoint's name: its hostname, else its address in dashes."""
    target = endpoint.targetRef
    pod = target.name if pod_names and target is not None else ""
    return (endpoint.hostname or pod or dashes(ip)).lower()


def _service_of(each: EndpointSlice) -> str:
    service = each.metadata.labels.get("kubernetes.io/service-name", "")
    return f"{service}.{each.metadata.namespace or 'default'}"


def _unique(records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(dict.fromkeys(records))
