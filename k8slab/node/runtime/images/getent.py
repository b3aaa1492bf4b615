"""getent: what the C library itself finds for a name, hosts file and search list included.

    getent hosts web        an address and the full name that had it
    getent ahosts web       every address, once for each kind of socket

Where nothing is found it prints nothing, and its exit code is 2.

Upstream: glibc nss/getent.c
"""

from __future__ import annotations

from k8slab.linux.addresses import is_ipv6
from k8slab.linux.resolver import Lookup
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.resolve import look_up

NOT_FOUND, USAGE = 2, 1  # exit codes
SOCKETS = ("STREAM", "DGRAM", "RAW")
DATABASES = {"hosts": "", "ahosts": "", "ahostsv4": "4", "ahostsv6": "6"}


async def main(process: Process) -> int:
    """Look names up in a database of hosts."""
    words = list(process.args[1:])
    if not words or words[0] not in DATABASES:
        process.error(
            f"Unknown database: {words[0]}" if words else "getent: wrong number of arguments"
        )
        process.error("Try `getent --help' or `getent --usage' for more information.")
        return USAGE
    database, *names = words
    missing = False
    for name in names:
        found = await look_up(process, name)
        lines = _hosts(found) if database == "hosts" else _ahosts(found, DATABASES[database])
        missing = missing or not lines
        for line in lines:
            process.log(line)
    return NOT_FOUND if missing else 0


def _full_name(found: Lookup) -> str:
    """Return the name that had the addresses, behind aliases if there were any."""
    query = next((query for query in found.queries if query.addresses), None)
    if query is None:
        return found.name
    return query.aliases[-1][1] if query.aliases else query.name


def _hosts(found: Lookup) -> list[str]:
    """Return the addresses of one family, IPv6 before IPv4, with the full name."""
    families = [[ip for ip in found.addresses if is_ipv6(ip) == six] for six in (True, False)]
    ips = next((ips for ips in families if ips), [])
    query = next((query for query in found.queries if query.addresses), None)
    aliases = [query.name] if query is not None and query.aliases else []
    return [f"{ip:<15} {' '.join([_full_name(found), *aliases])}" for ip in ips]


def _ahosts(found: Lookup, family: str) -> list[str]:
    wanted = [ip for ip in found.addresses if not family or is_ipv6(ip) == (family == "6")]
    lines = [f"{ip:<15} {kind:<6} " for ip in wanted for kind in SOCKETS]
    return [lines[0] + _full_name(found), *lines[1:]] if lines else []
