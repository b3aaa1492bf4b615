"""kube-proxy's rules for SCTP in a real kernel: an INIT must arrive where it does in the lab.

The kernel need not have SCTP sockets: raw ones send an INIT and answer it with an INIT ACK, and
conntrack follows the two. In the lab whole associations are made. Refused and dropped both look
like silence, for ICMP errors end no association.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8slab.linux.errors import NetworkError
from k8slab.linux.netns import NetNamespace
from k8slab.node.kube_proxy import render
from tests.kernel.netlab import TIMEOUT, Flow, missing
from tests.kernel.test_service_flows import SERVICES, THROWS, addresses, member
from tests.kernel.two_nodes import HOSTS, NODES, ORIGINS, SERVERS, LabNodes, RealNodes
from tests.node.kube_proxy.objects import endpoint_slice, service

REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

PORT = 9000
WIRE = """
import json, random, select, socket, struct, sys, time
TABLE = []
for n in range(256):
    for _ in range(8):
        n = n >> 1 ^ 0x82F63B78 if n & 1 else n >> 1
    TABLE.append(n)
def packet(sport, dport, vtag, kind, tag, text=b""):
    chunk = struct.pack("!BBHIIHHI", kind, 0, 20 + len(text), tag, 65535, 1, 1, 1) + text
    head = struct.pack("!HHI", sport, dport, vtag)
    crc = 0xFFFFFFFF
    for byte in head + bytes(4) + chunk:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return head + struct.pack("<I", crc ^ 0xFFFFFFFF) + chunk
def parse(data):
    data = data[(data[0] & 15) * 4:]
    sport, dport = struct.unpack("!HH", data[:4])
    length, tag = struct.unpack("!HI", data[14:20])
    return sport, dport, data[12], tag, data[32:12 + length]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
raw.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE: all answers at once
"""
SERVER = (
    WIRE
    + f"""
print("ready", flush=True)
while True:
    data, peer = raw.recvfrom(2000)
    sport, dport, kind, tag, _ = parse(data)
    if kind == 1 and dport == {PORT}:
        text = f"NAME {{peer[0]}}".encode()
        text = text.ljust(len(text) + -len(text) % 4)
        own = (socket.IPPROTO_IP, 8, struct.pack("=I4s4s", 0, data[16:20], bytes(4)))  # IP_PKTINFO
        raw.sendmsg([packet(dport, sport, tag, 2, 7, text)], [own], 0, peer)
"""
)
CLIENT = (
    WIRE
    + f"""
waiting, answers, sport = {{}}, [], 20000
flows = json.loads(sys.argv[1])
for number, (_, ip, port, times) in enumerate(flows):
    answers.append([])
    for _ in range(times):
        sport += 1
        waiting[sport] = number, ip, port
        try:
            raw.sendto(packet(sport, port, 0, 1, random.randrange(1, 1 << 32)), (ip, 0))
        except PermissionError:  # the own OUTPUT chain rejects it
            del waiting[sport]
until = time.monotonic() + {TIMEOUT * 8}
while waiting and (left := until - time.monotonic()) > 0:
    if select.select([raw], [], [], left)[0]:
        data, (peer, _) = raw.recvfrom(2000)
        sport, dport, kind, tag, text = parse(data)
        if kind == 2 and waiting.get(dport, ())[1:] == (peer, sport):  # it must come from there
            answers[waiting.pop(dport)[0]].append(text.decode().strip())
print(json.dumps([each or ["ETIMEDOUT"] for each in answers]))
"""
)


def objects(name: str, number: int) -> tuple[Any, Any]:
    """Return the Service and its slice: SCTP port 90 of one address."""
    members, ways, spec = SERVICES[name]
    port: dict[str, Any] = {"name": "bell", "protocol": "SCTP", "port": 90}
    if "n" in ways:
        port["nodePort"] = 30080 + number
    more = dict(spec)
    more["type"] = "LoadBalancer" if "b" in ways else "NodePort" if "n" in ways else "ClusterIP"
    if "b" in ways:
        ingress = [{"ip": ip} for ip in addresses(number)]
        more["status"] = {"loadBalancer": {"ingress": ingress}}
    if "e" in ways:
        more["externalIPs"] = addresses(number + 50)
    svc = service(name, clusterIP=f"10.96.0.{10 + number}", ports=[port], **more)
    pods = [member(word) for word in members.split()]
    target = {"name": "bell", "protocol": "SCTP", "port": PORT}
    return svc, endpoint_slice(*pods, service=name, ports=[target])


def rules(node: str) -> str:
    """Return what kube-proxy writes on the node."""
    made = [objects(name, number) for number, name in enumerate(SERVICES)]
    return str(render([svc for svc, _ in made], [slice_ for _, slice_ in made], node=node))


def flows(origin: str) -> list[Flow]:
    """Return a flow to every address of every Service."""
    found: list[Flow] = []
    for number, (members, ways, _) in enumerate(SERVICES.values()):
        times = THROWS[len(members.split())]
        ips = [(f"10.96.0.{10 + number}", 90)]
        if "n" in ways:
            hosts = [HOSTS[node] for node in NODES]
            ips += [(ip, 30080 + number) for ip in hosts]
        ips += [(ip, 90) for ip in addresses(number)] if "b" in ways else []
        ips += [(ip, 90) for ip in addresses(number + 50)] if "e" in ways else []
        found += [("sctp", ip, port, times) for ip, port in ips]
    return found


@pytest.fixture(scope="module")
def real() -> Iterator[RealNodes]:
    net = RealNodes()
    net.client = CLIENT
    try:
        for node in NODES:
            net.load(node, rules(node))
        for name in SERVERS:
            net._serve(name, SERVER)
        yield net
    finally:
        net.close()


@pytest.fixture(scope="module")
def lab() -> LabNodes:
    net = LabNodes()
    for node in NODES:
        net.load(node, rules(node))
    for name in SERVERS:
        net.sim.spawn(_serve(net.spaces[name], name), name)
    return net


async def _serve(ns: NetNamespace, name: str) -> None:
    listener = ns.sctp_listen("0.0.0.0", PORT)
    while True:
        association = await listener.accept()
        await association.send(f"{name} {association.remote[0]}".encode())
        association.close()


async def _attempt(ns: NetNamespace, ip: str, port: int) -> str:
    try:
        association = await ns.sctp_connect(ip, port, timeout=TIMEOUT)
        try:
            return (await association.recv(TIMEOUT)).decode()
        finally:
            association.close()
    except NetworkError as error:
        return error.errno_name


@pytest.mark.parametrize("origin", ORIGINS)
def test_every_init_arrives_as_in_the_kernel(real: RealNodes, lab: LabNodes, origin: str) -> None:
    wanted = flows(origin)
    kernel = real.ask(origin, wanted)
    ours = [
        [lab._run(_attempt(lab.spaces[origin], ip, port)) for _ in range(times)]
        for _, ip, port, times in wanted
    ]
    differing = {
        flow[:3]: (sorted(set(theirs)), sorted(set(own)))
        for flow, theirs, own in zip(wanted, kernel, ours, strict=True)
        if set(theirs) != set(own)
    }
    assert not differing, "\n".join(f"{flow}: {ends}" for flow, ends in differing.items())


def test_the_flows_are_many() -> None:
    assert sum(len(flows(origin)) for origin in ORIGINS) > 200


def test_the_kernel_tracks_them_in_the_same_states(real: RealNodes, lab: LabNodes) -> None:
    flow: Flow = ("sctp", "10.96.0.10", 90, 1)
    real.ask("client", [flow])
    tracked = real.inside("node-1", "cat", "/proc/net/nf_conntrack")
    assert "sctp     132 " in tracked
    assert {line.split()[5] for line in tracked.splitlines() if " sctp " in line} <= {
        "CLOSED",
        "COOKIE_WAIT",
    }
