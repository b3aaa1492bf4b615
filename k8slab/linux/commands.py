"""The network commands of a shell, as text: ip, bridge, ss, iptables, nft, conntrack, sysctl, ping.

`shell(ns, "ip route")` returns what the command prints, in the format of iproute2, iptables and
conntrack-tools. `run` also takes `ping`, which needs time.

Rule of use: to add a command, add a function to COMMANDS; what it refuses is a CommandError.

Upstream: iproute2 ip/ipaddress.c, ip/iproute.c, misc/ss.c
"""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from k8slab.linux import iptables_command
from k8slab.linux.addresses import ip_int, ip_text, is_ipv6, mask_of
from k8slab.linux.links import Bridge, Interface, Veth
from k8slab.linux.ping_command import PING_INTERVAL, ping
from k8slab.linux.ss_command import ss

if TYPE_CHECKING:
    from k8slab.linux.netns import NetNamespace


class CommandError(ValueError):
    """The command does not exist or does not know its arguments; says so as the tool does."""


def shell(ns: NetNamespace, line: str) -> str:
    """Return what the command prints in the namespace. Raises CommandError.

    >>> from k8slab.linux.netns import NetNamespace
    >>> from k8slab.sim import Simulation
    >>> pod = NetNamespace(Simulation(), "pod")
    >>> print(shell(pod, "ip -br addr"), end="")
    lo               UNKNOWN        127.0.0.1/8
    """
    words = shlex.split(line)
    command = COMMANDS.get(words[0] if words else "")
    if command is None:
        known = ", ".join([*COMMANDS, "ping"])
        raise CommandError(f"{line.split(' ')[0]}: command not found (there are: {known})")
    return command(ns, words[1:])


def changes(line: str) -> bool:
    """Say whether the command does something to the namespace, or only looks at it."""
    name, *rest = line.split() or [""]
    if name in ("iptables", "ip6tables"):
        return iptables_command.changes(rest)
    if name == "nft":
        return "list" not in rest
    if name == "bridge":
        return "set" in rest
    return name == "ping" or (name == "conntrack" and not {"-L", "--dump"} & {*rest})


async def run(ns: NetNamespace, line: str) -> str:
    """Return what the command prints; takes the virtual time that it needs (ping)."""
    words = shlex.split(line)
    if words[:1] != ["ping"]:
        return shell(ns, line)
    count = int(_option(words, "-c") or 4)  # a real one goes on until it is interrupted
    return await ping(ns, words[-1], count, float(_option(words, "-W") or PING_INTERVAL))


# -- ip


def _ip(ns: NetNamespace, arguments: list[str]) -> str:
    brief = any(word in ("-br", "-brief") for word in arguments)
    families = [ipv6 for ipv6 in (False, True) if ("-4", "-6")[not ipv6] not in arguments]
    words = [word for word in arguments if not word.startswith("-")]
    thing = words[0] if words else ""
    rest = [word for word in words[1:] if word not in ("show", "list", "ls", "dev")]
    if thing and "address".startswith(thing):
        devices = _devices(ns, rest)
        if brief:
            return _lines(_brief(each, families) for each in devices)
        return _ip_addr(ns, devices, families)
    if thing and "link".startswith(thing):
        return _lines(line for each in _devices(ns, rest) for line in _link(ns, each, True))
    if thing and "route".startswith(thing):
        if rest[:1] == ["get"]:
            return _route_get(ns, rest[1])
        routes = ns.routes6 if families == [True] else ns.routes
        return _lines(str(route) for route in routes if not rest or route.device in rest)
    raise CommandError(f'Object "{thing}" is unknown, try "ip addr", "ip link", "ip route".')


def _devices(ns: NetNamespace, names: list[str]) -> list[Interface]:
    for name in names:
        if name not in ns.interfaces:
            raise CommandError(f'Device "{name}" does not exist.')
    return [each for name, each in ns.interfaces.items() if not names or name in names]


def _ip_addr(ns: NetNamespace, devices: list[Interface], families: list[bool]) -> str:
    lines: list[str] = []
    for device in devices:
        lines += _link(ns, device, False)
        for cidr in _of_families(device, families):
            scope = "host" if device.kind == "loopback" else "global"
            if is_ipv6(cidr):
                lines.append(f"    inet6 {cidr} scope {scope} ")
                lines.append("       valid_lft forever preferred_lft forever")
                continue
            lines.append(f"    inet {cidr}{_broadcast(device, cidr)} scope {scope} {device.name}")
            lines.append("       valid_lft forever preferred_lft forever")
    return _lines(lines)


def _of_families(device: Interface, families: list[bool]) -> list[str]:
    return [cidr for ipv6 in families for cidr in device.addresses if is_ipv6(cidr) == ipv6]


def _link(ns: NetNamespace, device: Interface, with_mode: bool) -> list[str]:
    peer = f"@if{device.peer.index}" if isinstance(device, Veth) else ""
    master = f" master {device.master.name}" if device.master is not None else ""
    never_up = device.kind == "dummy" and not device.up
    discipline = "noop" if never_up else "noqueue" if device.kind != "ethernet" else "fq_codel"
    mode = " mode DEFAULT" if with_mode else ""
    flags = device.flags if device.up else device.flags.removesuffix(",UP,LOWER_UP")
    loopback = device.kind == "loopback"
    address = "loopback 00:00:00:00:00:00" if loopback else f"ether {device.mac}"
    broadcast = "00:00:00:00:00:00" if loopback else "ff:ff:ff:ff:ff:ff"
    other = f" link-netnsid {_netnsid(ns, device)}" if isinstance(device, Veth) else ""
    return [
        f"{device.index}: {device.name}{peer}: <{flags}> mtu {device.mtu} qdisc {discipline}"
        f"{master} state {_state(device)}{mode} group default qlen 1000",
        f"    link/{address} brd {broadcast}{other}",
    ]


def _netnsid(ns: NetNamespace, device: Veth) -> int:
    peers = dict.fromkeys(
        each.peer.namespace.name for each in ns.interfaces.values() if isinstance(each, Veth)
    )
    return list(peers).index(device.peer.namespace.name)


def _state(device: Interface) -> str:
    if not device.up:
        return "DOWN"
    if isinstance(device, Bridge) and not device.ports:
        return "DOWN"
    return "UNKNOWN" if device.kind == "loopback" else "UP"


def _broadcast(device: Interface, cidr: str) -> str:
    ip, _, length = cidr.partition("/")
    if device.kind == "loopback" or int(length) > 30:
        return ""
    return f" brd {ip_text(ip_int(ip) | ~mask_of(int(length)) & 0xFFFFFFFF)}"


def _brief(device: Interface, families: list[bool]) -> str:
    peer = f"@if{device.peer.index}" if isinstance(device, Veth) else ""
    addresses = _of_families(device, families)
    return f"{device.name + peer:<16} {_state(device):<14} {' '.join(addresses)}".rstrip()


def _route_get(ns: NetNamespace, ip: str) -> str:
    way = ns.way(ip)
    if way is None:
        raise CommandError("RTNETLINK answers: Network is unreachable")
    device, next_hop = way
    via = "" if next_hop == ip else f" via {next_hop}"
    local = "local " if ns.is_local(ip) else ""
    if is_ipv6(ip):
        source = ns.source_for(ip)
        return f"{local}{ip} from ::{via} dev {device.name} src {source} pref medium\n"
    return f"{local}{ip}{via} dev {device.name} src {ns.source_for(ip)} uid 0\n    cache\n"


def _bridge(ns: NetNamespace, arguments: list[str]) -> str:
    """`bridge [-d] link [set dev PORT hairpin on|off]`: whether a frame may go back out of one."""
    words = [word for word in arguments if not word.startswith("-")]
    if words[:1] != ["link"]:
        raise CommandError('Object "{}" is unknown, try "bridge help".'.format(*words or [""]))
    if words[1:2] == ["set"]:
        return _bridge_set(ns, words[2:])
    lines = []
    for device in ns.interfaces.values():
        if device.master is None:
            continue
        peer = f"@if{device.peer.index}" if isinstance(device, Veth) else ""
        lines.append(
            f"{device.index}: {device.name}{peer}: <{device.flags}> mtu {device.mtu} "
            f"master {device.master.name} state forwarding priority 32 cost 2 "
        )
        if "-d" in arguments:
            hairpin = "on" if device.hairpin else "off"
            lines.append(
                f"    hairpin {hairpin} guard off root_block off fastleave off learning on "
            )
    return _lines(lines)


def _bridge_set(ns: NetNamespace, words: list[str]) -> str:
    """Switch the hairpin mode of a port."""
    name, mode = _option(words, "dev"), _option(words, "hairpin")
    device = ns.interfaces.get(name)
    if device is None:
        raise CommandError("Error: bridge: bridge device not found.")
    if mode not in ("on", "off"):
        raise CommandError('Error: argument of "hairpin" must be "on" or "off"')
    if device.master is None:
        raise CommandError("RTNETLINK answers: Operation not supported")
    device.hairpin = mode == "on"
    return ""


# -- iptables, conntrack, sysctl


def _iptables_save(ns: NetNamespace, arguments: list[str]) -> str:
    return ns.iptables_save(_option(arguments, "-t", "--table"), counters="-c" in arguments)


def _ip6tables_save(ns: NetNamespace, arguments: list[str]) -> str:
    return ns.ip6tables_save(_option(arguments, "-t", "--table"), counters="-c" in arguments)


def _iptables(ns: NetNamespace, arguments: list[str]) -> str:
    return iptables_command.iptables(ns.ruleset, arguments)


def _ip6tables(ns: NetNamespace, arguments: list[str]) -> str:
    return iptables_command.iptables(ns.ruleset6, arguments)


def _nft(ns: NetNamespace, arguments: list[str]) -> str:
    from k8slab.linux.nft import NftError
    from k8slab.linux.nft_command import nft

    try:
        return nft(ns, arguments)
    except NftError as error:
        raise CommandError(f"Error: {error}") from None


def _conntrack(ns: NetNamespace, arguments: list[str]) -> str:
    protocol = _option(arguments, "-p", "--proto")
    if "-L" in arguments or "--dump" in arguments:
        lines = ns.conntrack.list().splitlines()
        return _lines(line for line in lines if line.startswith(protocol))
    if "-D" in arguments or "--delete" in arguments:
        count = ns.conntrack.delete(
            protocol=protocol or "udp",
            original_dst=_option(arguments, "-d", "--orig-dst"),
            original_dport=int(_option(arguments, "--dport", "--orig-port-dst") or 0),
            reply_src=_option(arguments, "-r", "--reply-src"),
        )
        return f"conntrack v1.4.8 (conntrack-tools): {count} flow entries have been deleted.\n"
    raise CommandError("conntrack: use -L to list, -D to delete")


def _sysctl(ns: NetNamespace, arguments: list[str]) -> str:
    values = {
        "net.ipv4.ip_forward": ns.ip_forward,
        "net.ipv6.conf.all.forwarding": ns.ip6_forward,
        "net.ipv4.conf.all.route_localnet": ns.route_localnet,
        "net.bridge.bridge-nf-call-iptables": ns.bridge_nf_call_iptables,
    }
    names = [word for word in arguments if not word.startswith("-")] or list(values)
    for name in names:
        if name not in values:
            raise CommandError(f"sysctl: cannot stat {name}: No such file or directory")
    return _lines(f"{name} = {int(values[name])}" for name in names)


def _option(arguments: list[str], *names: str) -> str:
    for name, value in itertools.pairwise(arguments):
        if name in names:
            return value
    return ""


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


COMMANDS: Mapping[str, Callable[[NetNamespace, list[str]], str]] = {
    "ip": _ip,
    "bridge": _bridge,
    "ss": ss,
    "iptables": _iptables,
    "iptables-save": _iptables_save,
    "ip6tables": _ip6tables,
    "ip6tables-save": _ip6tables_save,
    "nft": _nft,
    "conntrack": _conntrack,
    "sysctl": _sysctl,
}
