"""What went wrong on a connection, as programs written in Go word it.

    dial tcp 10.244.1.5:80: connect: connection refused
    dial tcp 10.244.1.5:80: i/o timeout

kubelet, API server and CoreDNS are such programs: their Events, Statuses and logs have these words.

Rule of use: `dial_error` for a connection, `http_error` for a whole request.

Upstream: Go net/net.go (OpError), net/http/transport.go
"""

from __future__ import annotations

from k8slab.linux.addresses import joined
from k8slab.linux.errors import ConnectionReset, NetworkError, TimedOut


def dial_error(error: NetworkError, host: str, port: int) -> str:
    """Return the words for a connection that failed, or broke.

    >>> from k8slab.linux.errors import ConnectionRefused
    >>> dial_error(ConnectionRefused(), "10.244.1.5", 80)
    'dial tcp 10.244.1.5:80: connect: connection refused'
    """
    words, where = error.words.lower(), joined(host, port)
    if isinstance(error, TimedOut):
        return f"dial tcp {where}: i/o timeout"
    if isinstance(error, ConnectionReset):
        return f"read tcp {where}: read: {words}"
    return f"dial tcp {where}: connect: {words}"


def http_error(error: Exception, host: str, port: int) -> str:
    """Return the words for a request that failed with NetworkError, EOFError or BadMessage."""
    if isinstance(error, EOFError):
        return "EOF"
    if isinstance(error, NetworkError):
        return dial_error(error, host, port)
    return f"net/http: HTTP/1.x transport connection broken: {error}"
