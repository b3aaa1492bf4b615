"""`ping`: echoes once a second, what came back, and who said that nothing can.

    From 10.244.1.1 icmp_seq=1 Destination Port Unreachable     a rule on the way rejects
    From 192.168.10.11 icmp_seq=1 Destination Host Unreachable  no neighbour answers there
    ping: sendmsg: Operation not permitted                      the own OUTPUT chain drops
    (nothing)                                                   lost, dropped on the way

Rule of use: through `commands.run`, for it takes time.

Upstream: iputils ping/ping.c, ping_common.c (pr_icmph)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from k8slab.linux.addresses import is_ipv6
from k8slab.linux.errors import NetworkError, NetworkUnreachable, TimedOut

if TYPE_CHECKING:
    from k8slab.linux.netns import NetNamespace

PING_INTERVAL = 1.0  # s
PING_BYTES = 56
MILLISECONDS = 1000
ICMP_WORDS: Mapping[str, str] = {
    "net-unreachable": "Destination Net Unreachable",
    "host-unreachable": "Destination Host Unreachable",
    "proto-unreachable": "Destination Protocol Unreachable",
    "port-unreachable": "Destination Port Unreachable",
    "net-prohibited": "Destination Net Prohibited",
    "host-prohibited": "Destination Host Prohibited",
    "admin-prohibited": "Packet filtered",
    "time-exceeded": "Time to live exceeded",
}
ICMP6_WORDS: Mapping[str, str] = {
    "net-unreachable": "Destination unreachable: No route",
    "host-unreachable": "Destination unreachable: Address unreachable",
    "port-unreachable": "Destination unreachable: Port unreachable",
    "admin-prohibited": "Destination unreachable: Administratively prohibited",
    "time-exceeded": "Time exceeded: Hop limit",
}


async def ping(ns: NetNamespace, ip: str, count: int, wait: float) -> str:
    """Send `count` echoes, wait so many seconds for each, and return what ping prints."""
    start, times, errors = ns.sim.now, [], 0
    lines = [f"PING {ip} ({ip}) {PING_BYTES}({PING_BYTES + 28}) bytes of data."]
    if is_ipv6(ip):
        lines = [f"PING {ip}({ip}) {PING_BYTES} data bytes"]
    for number in range(1, count + 1):
        sent = ns.sim.now
        try:
            times.append(await ns.ping(ip, timeout=wait) * MILLISECONDS)
            lines.append(f"64 bytes from {ip}: icmp_seq={number} ttl=64 time={times[-1]:.3f} ms")
        except TimedOut:
            pass
        except NetworkError as error:
            if isinstance(error, NetworkUnreachable) and not error.told_by:
                return f"ping: connect: {error.words}\n"
            errors += 1
            lines.append(error_line(error, number))
        if number < count:
            await ns.sim.sleep(max(0.0, sent + PING_INTERVAL - ns.sim.now), f"ping {ip}")
    spent = round((ns.sim.now - start) * MILLISECONDS)
    lines += ["", f"--- {ip} ping statistics ---", *statistics(count, times, errors, spent)]
    return "".join(f"{line}\n" for line in lines)


def error_line(error: NetworkError, number: int) -> str:
    """Return the line for an error: who sent which, or what the own kernel says."""
    if not error.told_by:
        return f"ping: sendmsg: {error.words}"
    words = ICMP6_WORDS if is_ipv6(error.told_by) else ICMP_WORDS
    return f"From {error.told_by} icmp_seq={number} {words.get(error.icmp, error.words)}"


def statistics(count: int, times: list[float], errors: int, spent: int) -> list[str]:
    """Return the last lines; times in milliseconds.

    >>> statistics(2, [], 2, 1001)
    ['2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 1001ms']
    """
    lost = round(100 * (count - len(times)) / count)
    failed = f" +{errors} errors," if errors else ""
    lines = [
        f"{count} packets transmitted, {len(times)} received,{failed} {lost}% packet loss, "
        f"time {spent}ms"
    ]
    if times:
        mean = sum(times) / len(times)
        spread = (sum((each - mean) ** 2 for each in times) / len(times)) ** 0.5
        numbers = f"{min(times):.3f}/{mean:.3f}/{max(times):.3f}/{spread:.3f}"
        lines.append(f"rtt min/avg/max/mdev = {numbers} ms")
    return lines
