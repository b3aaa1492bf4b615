"""resolv.conf: which servers to ask, which suffixes to try, and how patiently.

`ResolvConf.parse(text)` reads the file as a libc does, `str()` writes it as the kubelet does.

Rule of use: unknown lines and options are ignored, as a libc ignores them.

Upstream: glibc resolv/res_init.c, musl src/network/resolvconf.c
"""

from __future__ import annotations

import msgspec

MAX_NAMESERVERS = 3
MAX_NDOTS = 15  # RES_MAXNDOTS; musl has the same


class ResolvConf(msgspec.Struct, frozen=True, gc=False):
    """The file's content.

    >>> print(ResolvConf(("10.96.0.10",), ("default.svc.cluster.local",), ("ndots:5",)), end="")
    search default.svc.cluster.local
    nameserver 10.96.0.10
    options ndots:5
    """

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> ResolvConf:
        """Read the file; the last search line counts."""
        servers: list[str] = []
        searches: tuple[str, ...] = ()
        options: list[str] = []
        for line in text.splitlines():
            words = line.partition("#")[0].partition(";")[0].split()
            if words[:1] == ["nameserver"] and len(words) > 1:
                servers.append(words[1])
            elif words[:1] in (["search"], ["domain"]):
                searches = tuple(word.removesuffix(".") for word in words[1:] if word != ".")
            elif words[:1] == ["options"]:
                options += words[1:]
        return cls(tuple(servers), searches, tuple(options))

    def __str__(self) -> str:
        lines = [f"search {' '.join(self.searches)}"] if self.searches else []
        lines += [f"nameserver {server}" for server in self.nameservers]
        lines += [f"options {' '.join(self.options)}"] if self.options else []
        return "".join(f"{line}\n" for line in lines)

    @property
    def ndots(self) -> int:
        """The number of dots from which on a name is tried as it stands."""
        return min(self.option("ndots", 1), MAX_NDOTS)

    def has(self, name: str) -> bool:
        """Say whether an option without a number is there, such as rotate."""
        return name in self.options

    def option(self, name: str, default: int) -> int:
        """Return the number of an option such as ndots; the last one counts."""
        value = default
        for option in self.options:
            key, _, number = option.partition(":")
            if key == name and number.isdigit():
                value = int(number)
        return value
