"""One request, followed all the way: the name, the packet, the answer.

`send` does what curl does in the source's own network: ask the DNS server of its resolv.conf,
connect to the address, send the request, read the answer. Nothing is looked up behind the scenes:
the packets go where the rules of the machines send them, and a recorder on each packet notes every
hop. `Answer` holds the outcome and the hops of both journeys.

Rule of use: `Cluster.request` is the way in; the outcome is one of `OUTCOMES`.

Upstream: none (curl, tcpdump and iptables' TRACE target do parts of this)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from k8slab.api import labels
from k8slab.api.core import Pod
from k8slab.api.pods import is_pod_active, is_pod_ready, is_pod_terminal
from k8slab.cluster.names import named
from k8slab.cluster.world import OUTSIDE
from k8slab.linux.addresses import joined
from k8slab.linux.errors import ConnectionRefused, NetworkError, TimedOut
from k8slab.linux.journey import Hop, Journey, Visit
from k8slab.linux.netns import NetNamespace
from k8slab.linux.resolver import Lookup, lookup
from k8slab.node import http
from k8slab.node.runtime.resolve import hosts_table

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster

TIMEOUT = 10.0  # virtual seconds for connecting, and again for the answer
PORTS = {"http": 80, "https": 443}
OUTCOMES = ("answered", "refused", "timed out", "unresolved", "unreachable")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one request."""

    source: str
    url: str
    outcome: str  # one of OUTCOMES
    started: float  # virtual seconds
    ended: float
    lookup: Lookup | None = None
    address: str = ""  # "10.96.0.10:80", what the client connected to
    endpoint: str = ""  # "10.244.1.2:80", where the rules sent it
    served_by: str = ""  # "default/web-x on worker-1"
    status: int = 0  # of HTTP, 0 if the answer is not HTTP
    body: str = ""
    error: str = ""  # in the words of curl
    name_journey: Journey
    journey: Journey

    @property
    def ok(self) -> bool:
        """Whether an answer came that is no HTTP error."""
        return self.outcome == "answered" and self.status < 400

    @property
    def hops(self) -> list[Hop]:
        """Every step of the packets of the connection, there and back."""
        return self.journey.hops

    @property
    def rules(self) -> tuple[Visit, ...]:
        """Every firewall rule that matched, in order, each once."""
        return tuple(dict.fromkeys(self.journey.rules))

    @property
    def decisive_rule(self) -> Visit | None:
        """The rule that rewrote the destination, or refused the packet."""
        for hop in self.hops:
            if hop.rule is not None and (hop.before.dst != hop.after.dst or _refuses(hop.rule)):
                return hop.rule
        return None

    @property
    def text(self) -> str:
        """The answer in a few lines."""
        return "\n".join(line for line in _lines(self) if line)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def figure(self) -> Any:
        """Return the journey as a picture."""
        from k8slab.viz import journey_figure

        return journey_figure(self)


async def send(
    cluster: Cluster,
    source: str,
    url: str,
    *,
    namespace: str = "default",
    timeout: float = TIMEOUT,
    libc: str = "glibc",
) -> Answer:
    """Send the request and return what became of it; raises ValueError if it makes no sense."""
    sender = _source(cluster, source, namespace)
    net, shown = sender.net, sender.shown
    host, port, path = _target(url)
    names, packets = Journey(f"{shown} asks for {host}"), Journey(f"{shown} -> {url}")
    started = cluster.now
    found = await lookup(
        net, host, sender.resolv_conf, libc=libc, hosts=hosts_table(sender.hosts), journey=names
    )
    draft = Answer(
        source=shown,
        url=url,
        outcome="unresolved",
        started=started,
        ended=cluster.now,
        lookup=found,
        error=f"curl: (6) Could not resolve host: {host}",
        name_journey=names,
        journey=packets,
    )
    if not found.addresses:
        return draft
    address = found.ip
    result = await _exchange(net, address, port, host, path, timeout, packets)
    endpoint = _endpoint(packets, joined(address, port))
    return msgspec.structs.replace(
        draft,
        ended=cluster.now,
        address=joined(address, port),
        endpoint=endpoint,
        served_by=_owner(cluster, endpoint.rpartition(":")[0].strip("[]")),
        **result,
    )


async def _exchange(
    net: NetNamespace,
    address: str,
    port: int,
    host: str,
    path: str,
    timeout: float,
    journey: Journey,
) -> dict[str, Any]:
    """Connect, ask, and return the fields of the answer."""
    sim, started = net.sim, net.sim.now
    where = f"Failed to connect to {host} port {port}"
    try:
        connection = await net.connect(address, port, timeout=timeout, journey=journey)
    except ConnectionRefused:
        return {"outcome": "refused", "error": f"curl: (7) {where}: Connection refused"}
    except TimedOut:
        took = round((sim.now - started) * 1000)
        error = f"curl: (28) {where} after {took} ms: Timeout was reached"
        return {"outcome": "timed out", "error": error}
    except NetworkError as failure:
        return {"outcome": "unreachable", "error": f"curl: (7) {where}: {failure}"}
    try:
        headers = {"Host": host, "User-Agent": "curl/8.10.1", "Accept": "*/*"}
        await connection.send(http.Request("GET", path, headers).encode())
        return await _read(connection, timeout)
    except TimedOut:
        return {"outcome": "timed out", "error": "curl: (28) Operation timed out"}
    except NetworkError as failure:
        return {"outcome": "answered", "error": f"curl: (56) Recv failure: {failure}"}
    finally:
        connection.close()


async def _read(connection: Any, timeout: float) -> dict[str, Any]:
    received = b""
    while True:
        data = await connection.recv(timeout)
        received += data
        try:
            answer = http.parse_response(received, at_end=not data)
        except http.BadMessage:
            body = received.decode(errors="replace")
            error = "curl: (1) Received HTTP/0.9 when not allowed"
            return {"outcome": "answered", "body": body, "error": error}
        if answer is not None:
            body = answer.body.decode(errors="replace")
            return {"outcome": "answered", "status": answer.status, "body": body, "error": ""}
        if not data:
            return {"outcome": "answered", "error": "curl: (52) Empty reply from server"}


# -- where from, where to


class Sender(msgspec.Struct, frozen=True):
    """Where a request comes from: its network, how names are looked up there, what to call it."""

    net: NetNamespace
    resolv_conf: str
    shown: str
    hosts: str = "127.0.0.1 localhost"  # the text of /etc/hosts


def _source(cluster: Cluster, source: str, namespace: str) -> Sender:
    if source == OUTSIDE:
        machine, hosts = cluster.world.outside(), cluster.world.upstream.hosts
        return Sender(machine.net, str(machine.disk.read("/etc/resolv.conf")), OUTSIDE, hosts)
    kind, _, name = source.partition("/")
    if kind in ("node", "nodes", "no"):
        machine = cluster.node(name).machine
        return Sender(machine.net, str(machine.disk.read("/etc/resolv.conf")), source)
    pod = _pod(cluster, source, namespace)
    host = cluster.world.hosts[pod.spec.nodeName]
    for sandbox in host.containerd.sandboxes():
        if sandbox.config.uid == pod.metadata.uid and sandbox.state == "SANDBOX_READY":
            net = host.containerd.network_of(sandbox.id)
            hosts = next((c.config.hosts for c in host.containerd.containers(sandbox.id)), "")
            return Sender(net, sandbox.config.dns_config, f"pod/{pod.metadata.name}", hosts)
    raise ValueError(f"pod/{pod.metadata.name} has no network yet: it is {pod.status.phase}")


def _pod(cluster: Cluster, source: str, namespace: str) -> Pod:
    """Return the Pod that is meant: itself, or the first ready one of a workload or Service."""
    view = cluster.view
    obj = named(view, source, namespace)
    name, namespace = obj.metadata.name, obj.metadata.namespace
    if isinstance(obj, Pod):
        if not obj.spec.nodeName:
            raise ValueError(f'pod "{name}" has not been placed on a node yet')
        return obj
    selector = getattr(obj.spec, "selector", None)
    if selector is None:
        raise ValueError(f"a request cannot start from a {obj.kind}: name a Pod")
    chosen = (
        labels.from_labels(selector)
        if obj.kind == "Service"
        else labels.from_label_selector(selector)
    )
    pods = [p for p in view.list(Pod, namespace) if chosen.matches(p.metadata.labels)]
    for pod in sorted(pods, key=lambda p: not is_pod_ready(p)):
        if pod.spec.nodeName and is_pod_active(pod):
            return pod
    raise ValueError(f"{source} has no running Pod to send from")


def _target(url: str) -> tuple[str, int, str]:
    """Return (host, port, path) of a URL."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if not parts.hostname:
        raise ValueError(f'expected a URL such as "http://web:80/path", got {url!r}')
    port = parts.port or PORTS.get(parts.scheme)
    if port is None:
        raise ValueError(f"{url!r} names no port, and {parts.scheme} has no usual one")
    return parts.hostname, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _endpoint(journey: Journey, address: str) -> str:
    """Return where the first packet's destination was rewritten to, if it was."""
    for hop in journey.hops:
        if hop.direction == "request" and hop.before.dst != hop.after.dst:
            return joined(hop.after.dst, hop.after.dport)
    return address


def _owner(cluster: Cluster, ip: str) -> str:
    """Return who has the address: a Pod, or a machine."""
    for pod in cluster.view.list(Pod):
        # A Pod that is being deleted still answers.
        if (
            any(own.ip == ip for own in pod.status.podIPs)
            and not pod.spec.hostNetwork
            and not is_pod_terminal(pod)
        ):
            return f"{pod.metadata.namespace}/{pod.metadata.name} on {pod.spec.nodeName}"
    for name, machine in cluster.world.machines.items():
        if machine.net.is_local(ip) and not ip.startswith("127."):
            return f"node {name}"
    return ""


# -- telling it


def _lines(answer: Answer) -> list[str]:
    took = (answer.ended - answer.started) * 1000
    verdict = f"{answer.status} {http.REASONS.get(answer.status, '')}".strip()
    outcome = verdict if answer.status else answer.outcome
    return [
        f"{answer.source} -> {answer.url}: {outcome} ({took:.1f} ms)",
        _name_line(answer),
        _packet_line(answer),
        f"  rule    {answer.decisive_rule.text}" if answer.decisive_rule else "",
        f"  served  {answer.served_by}"
        if answer.served_by and answer.outcome == "answered"
        else "",
        f"  error   {answer.error}" if answer.error else "",
    ]


def _name_line(answer: Answer) -> str:
    found = answer.lookup
    if found is None or not found.queries:
        return ""
    asked = len(found.queries)
    result = ", ".join(found.addresses) or found.error
    return f"  name    {found.queries[-1].name} -> {result} ({asked} DNS queries)"


def _packet_line(answer: Answer) -> str:
    if not answer.address:
        return ""
    if answer.endpoint == answer.address:
        return f"  packet  to {answer.address}"
    return f"  packet  to {answer.address}, rewritten to {answer.endpoint}"


def _refuses(rule: Visit) -> bool:
    return "-j REJECT" in rule.text or "-j DROP" in rule.text
