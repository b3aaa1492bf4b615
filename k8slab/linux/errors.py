"""The errors that a socket call can end with: the errno's name and the words that tools print.

`NetworkError` is an OSError; each subclass is one errno. `curl`, `wget` and `nc` print the words
of `strerror`, so a program of the lab may do the same.

Rule of use: raise the subclass, catch `NetworkError`. The names are the kernel's words, so they
do not end in Error.

Upstream: Linux include/uapi/asm-generic/errno.h, glibc sysdeps/gnu/errlist.h
"""

from __future__ import annotations

import errno


class NetworkError(OSError):
    """A socket call failed; `errno_name` is the symbol, `strerror` the words."""

    errno_name = "EIO"
    words = "Input/output error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(getattr(errno, self.errno_name), self.words)
        self.detail = detail
        self.icmp = ""  # the kind of the ICMP error that told it, "" if it was known here
        self.told_by = ""  # the address of who sent that

    def __str__(self) -> str:
        return f"{self.detail}: {self.words}" if self.detail else self.words


class ConnectionRefused(NetworkError):  # noqa: N818
    """Nothing listens there, or a REJECT rule says so."""

    errno_name = "ECONNREFUSED"
    words = "Connection refused"


class ConnectionReset(NetworkError):  # noqa: N818
    """The other side has dropped the connection (RST)."""

    errno_name = "ECONNRESET"
    words = "Connection reset by peer"


class BrokenPipe(NetworkError):  # noqa: N818
    """This side has already closed the connection."""

    errno_name = "EPIPE"
    words = "Broken pipe"


class TimedOut(NetworkError):  # noqa: N818
    """No answer in time."""

    errno_name = "ETIMEDOUT"
    words = "Connection timed out"


class NoRoute(NetworkError):  # noqa: N818
    """The last router cannot find the host (its neighbour look-up failed)."""

    errno_name = "EHOSTUNREACH"
    words = "No route to host"


class NetworkUnreachable(NoRoute):
    """The routing table has no entry for the address."""

    errno_name = "ENETUNREACH"
    words = "Network is unreachable"


class AddressInUse(NetworkError):  # noqa: N818
    """Another socket of the namespace has the address and port."""

    errno_name = "EADDRINUSE"
    words = "Address already in use"


class AddressNotAvailable(NetworkError):  # noqa: N818
    """The namespace does not own the address."""

    errno_name = "EADDRNOTAVAIL"
    words = "Cannot assign requested address"


class ProhibitedByFilter(NetworkError):  # noqa: N818
    """The own OUTPUT chain drops or rejects the datagram: `send` itself says so."""

    errno_name = "EPERM"
    words = "Operation not permitted"
