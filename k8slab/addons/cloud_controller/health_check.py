"""One health check: GET /healthz, and only the status of the answer counts.

Rule of use: whatever goes wrong on the way means "not well".

Upstream: none (every load balancer has its own)
"""

from __future__ import annotations

from k8slab.linux.errors import NetworkError
from k8slab.linux.netns import NetNamespace

PATH = "/healthz"


async def is_well(net: NetNamespace, ip: str, port: int, timeout: float) -> bool:
    """Ask from `net` and say whether the answer is 200; `timeout` in virtual seconds."""
    deadline = net.sim.now + timeout
    try:
        connection = await net.connect(ip, port, timeout=timeout)
    except NetworkError:
        return False
    try:
        head = f"GET {PATH} HTTP/1.1\r\nHost: {ip}\r\nConnection: close\r\n\r\n"
        await connection.send(head.encode())
        return b" 200 " in (await connection.recv(deadline - net.sim.now)).partition(b"\r\n")[0]
    except NetworkError:
        return False
    finally:
        connection.close()
