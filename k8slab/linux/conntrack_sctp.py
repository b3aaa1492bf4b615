"""The states of a tracked SCTP association: a table, as in the kernel.

    INIT -> CLOSED    INIT ACK -> COOKIE_WAIT    COOKIE ECHO -> COOKIE_ECHOED
    COOKIE ACK -> ESTABLISHED    SHUTDOWN -> SHUTDOWN_SENT or _RECD    SHUTDOWN ACK -> ..._ACK_SENT

`CHANGES` holds where a chunk leads; in a state that it does not name the chunk changes nothing.

Rule of use: pure; "" is the state of a connection that is new.

Upstream: Linux net/netfilter/nf_conntrack_proto_sctp.c (sctp_conntracks)
"""

from __future__ import annotations

from collections.abc import Mapping

CLOSED, COOKIE_WAIT, COOKIE_ECHOED = "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED"
ESTABLISHED, SENT, RECEIVED = "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD"
ACK_SENT, HEARTBEAT_SENT = "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT"

# Chunks with which no connection begins.
CANNOT_BEGIN = ("ABORT", "SHUTDOWN COMPLETE", "COOKIE ACK", "DATA", "SACK")

_ALL = (CLOSED, COOKIE_WAIT, COOKIE_ECHOED, ESTABLISHED, SENT, RECEIVED, ACK_SENT, HEARTBEAT_SENT)
_CLOSING = {SENT: ACK_SENT, RECEIVED: ACK_SENT}
_COOKIE_CAME_BACK = {COOKIE_WAIT: COOKIE_ECHOED}
_OPENED = {COOKIE_ECHOED: ESTABLISHED}
_ANEW = {HEARTBEAT_SENT: CLOSED}

# (chunk, whether it came in the reply direction) -> state before -> state after
CHANGES: Mapping[tuple[str, bool], Mapping[str, str]] = {
    ("INIT", False): {SENT: CLOSED, RECEIVED: CLOSED, HEARTBEAT_SENT: COOKIE_WAIT},
    ("INIT ACK", False): _ANEW,
    ("INIT ACK", True): {CLOSED: COOKIE_WAIT},
    ("ABORT", False): dict.fromkeys(_ALL, CLOSED),
    ("ABORT", True): dict.fromkeys(_ALL[:-1], CLOSED),
    ("SHUTDOWN", False): {ESTABLISHED: SENT, **_ANEW},
    ("SHUTDOWN", True): {ESTABLISHED: RECEIVED},
    ("SHUTDOWN ACK", False): {"": ACK_SENT, HEARTBEAT_SENT: ACK_SENT, **_CLOSING},
    ("SHUTDOWN ACK", True): _CLOSING,
    ("COOKIE ECHO", False): {**_COOKIE_CAME_BACK, **_ANEW},
    ("COOKIE ECHO", True): _COOKIE_CAME_BACK,
    ("COOKIE ACK", False): {**_OPENED, **_ANEW},
    ("COOKIE ACK", True): _OPENED,
    ("SHUTDOWN COMPLETE", False): {ACK_SENT: CLOSED, **_ANEW},
    ("SHUTDOWN COMPLETE", True): {ACK_SENT: CLOSED},
    ("HEARTBEAT", False): {"": HEARTBEAT_SENT},
    ("HEARTBEAT ACK", True): {HEARTBEAT_SENT: ESTABLISHED},
}


def next_state(state: str, chunk: str, reply: bool) -> str:
    """Return the state of the association after a packet with that chunk.

    >>> state, steps = "", ("INIT", "INIT ACK", "COOKIE ECHO", "COOKIE ACK", "SHUTDOWN")
    >>> for step in steps:
    ...     print(step, "->", state := next_state(state, step, reply=step.endswith("ACK")))
    INIT -> CLOSED
    INIT ACK -> COOKIE_WAIT
    COOKIE ECHO -> COOKIE_ECHOED
    COOKIE ACK -> ESTABLISHED
    SHUTDOWN -> SHUTDOWN_SENT
    """
    return CHANGES.get((chunk, reply), {}).get(state, state or CLOSED)
