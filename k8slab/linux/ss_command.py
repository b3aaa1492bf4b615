"""`ss`, which lists sockets: who listens, and which connections there are.

Rule of use: through `commands.shell`.

Upstream: iproute2 misc/ss.c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.linux.addresses import joined

if TYPE_CHECKING:
    from k8slab.linux.netns import NetNamespace


def ss(ns: NetNamespace, arguments: list[str]) -> str:
    """Return what `ss` prints: -t, -u and -S say which protocols, -l and -a which states."""
    flags = "".join(word[1:] for word in arguments if word.startswith("-"))
    asked = [letter for letter in "tuS" if letter in flags] or ["t", "u", "S"]
    tcp, udp, sctp = ("t" in asked, "u" in asked, "S" in asked)
    listening, established = "l" in flags or "a" in flags, "l" not in flags
    rows: list[tuple[str, str, str, str, str, str]] = []
    if udp:
        rows += udp_rows(ns, listening, established)
    if tcp:
        rows += tcp_rows(ns, listening, established)
    if sctp:
        rows += _sctp_rows(ns, listening, established)
    return _socket_table(rows, with_protocol=len(asked) > 1)


def udp_rows(
    ns: NetNamespace, listening: bool, established: bool
) -> list[tuple[str, str, str, str, str, str]]:
    """Return protocol, state, both queues, local and peer address of UDP sockets."""
    rows = []
    for port, sockets in sorted(ns.sockets.datagrams.items()):
        for socket in sockets:
            peer = "0.0.0.0:*" if socket.peer is None else joined(*socket.peer)
            state = "UNCONN" if socket.peer is None else "ESTAB"
            if listening if socket.peer is None else established:
                rows.append(("udp", state, "0", "0", joined(socket.ip, port), peer))
    return rows


def tcp_rows(
    ns: NetNamespace, listening: bool, established: bool
) -> list[tuple[str, str, str, str, str, str]]:
    """Return the same of TCP sockets, those that listen first."""
    rows = []
    for port, listeners in sorted(ns.sockets.listeners.items()):
        for listener in listeners if listening else ():
            waiting, local = str(listener.waiting), joined(listener.ip, port)
            rows.append(("tcp", "LISTEN", waiting, "4096", local, "0.0.0.0:*"))
    for connection in ns.sockets.connections.values() if established else ():
        local, peer = (joined(*end) for end in (connection.local, connection.remote))
        rows.append(("tcp", connection.state, "0", "0", local, peer))
    return rows


def _sctp_rows(
    ns: NetNamespace, listening: bool, established: bool
) -> list[tuple[str, str, str, str, str, str]]:
    rows = []
    for port, listeners in sorted(ns.sockets.sctp.listeners.items()):
        for listener in listeners if listening else ():
            waiting, local = str(listener.waiting), joined(listener.ip, port)
            rows.append(("sctp", "LISTEN", waiting, "4096", local, "0.0.0.0:*"))
    for association in ns.sockets.sctp.associations.values() if established else ():
        local, peer = (joined(*end) for end in (association.local, association.remote))
        rows.append(("sctp", association.state, "0", "0", local, peer))
    return rows


def _socket_table(rows: list[tuple[str, str, str, str, str, str]], with_protocol: bool) -> str:
    """Lay the rows out as ss does: addresses to the right, ports to the left of their colon."""
    heads = ("Netid", "State", "Recv-Q", "Send-Q")
    first = 0 if with_protocol else 1
    widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(first, 4)]
    locals_ = [row[4].rpartition(":") for row in rows]
    peers = [row[5].rpartition(":") for row in rows]
    spans = []
    for heading, ends in (("Local Address", locals_), ("Peer Address", peers)):
        left = max([len(heading), *(len(ip) for ip, _, _ in ends)])
        right = max([len("Port"), *(len(port) for _, _, port in ends)])
        spans.append((left, right))
    lines = []
    table = [(*heads, ("Local Address", ":", "Port"), ("Peer Address", ":", "Port"))]
    table += [(*row[:4], own, peer) for row, own, peer in zip(rows, locals_, peers, strict=True)]
    for number, row in enumerate(table):
        words = [f"{word:<{w}}" for word, w in zip(row[first:4], widths, strict=True)]
        for end, (left, right) in zip(row[4:], spans, strict=True):
            words.append(f"{end[0]:>{left}}:{end[2]:<{right}}")
        lines.append((" ".join(words) + ("Process" if number == 0 else "")).rstrip())
    return "".join(f"{line}\n" for line in lines)
