"""A DNS question from your own machine, asked anew by a machine of the cluster.

The bytes go out of the node's network to the address of the kube-dns Service, as those of any
program there do: through the rules of kube-proxy, to a CoreDNS Pod and back. So what breaks DNS
for Pods breaks it for you.

Rule of use: virtual time passes only while a question is on its way.

Upstream: none
"""

from __future__ import annotations

from k8slab.linux.errors import NetworkError
from k8slab.linux.netns import NetNamespace

DNS_PORT = 53
TIMEOUT = 5.0  # virtual s that a resolver waits, resolv.conf timeout:5


async def relay(net: NetNamespace, server: str, protocol: str, question: bytes) -> bytes | None:
    """Return the server's answer to a message over "udp" or "tcp", None if there is none."""
    try:
        if protocol == "udp":
            return await _by_udp(net, server, question)
        return await _by_tcp(net, server, question)
    except NetworkError:
        return None


async def _by_udp(net: NetNamespace, server: str, question: bytes) -> bytes:
    socket = net.udp()
    try:
        socket.connect(server, DNS_PORT)
        socket.send(question)
        return (await socket.recv_from(TIMEOUT))[0]
    finally:
        socket.close()


async def _by_tcp(net: NetNamespace, server: str, question: bytes) -> bytes | None:
    connection = await net.connect(server, DNS_PORT, timeout=TIMEOUT)
    try:
        await connection.send(len(question).to_bytes(2, "big") + question)
        received = b""
        while len(received) < 2 or len(received) < 2 + int.from_bytes(received[:2], "big"):
            data = await connection.recv(TIMEOUT)
            if not data:
                return None
            received += data
        return received[2:]
    finally:
        connection.close()
