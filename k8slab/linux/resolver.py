"""What a libc does with a name: which full names it asks for, and when it gives up.

`queries` lists the names in the order in which they are asked until one is answered. `lookup`
asks for them. glibc and musl differ, and both ways are here:

    after NODATA      glibc tries the next ending, musl stops
    after SERVFAIL    glibc tries the next server and the next ending, musl waits, then stops
    ndots dots        glibc tries the name first and the endings later, musl the name alone
    servers           glibc one after the other (res_send.py), musl all at once (res_msend.py)

Rule of use: `Lookup.error` is empty or holds the words of getaddrinfo.

Upstream: glibc resolv/res_query.c, nss/getaddrinfo.c; musl src/network/lookup_name.c
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from k8slab.linux.addresses import ip_int, is_ipv6
from k8slab.linux.journey import Journey
from k8slab.linux.res_msend import MuslAsker
from k8slab.linux.res_query import NO_ANSWER, Query
from k8slab.linux.res_send import GlibcAsker
from k8slab.linux.resolv_conf import ResolvConf

if TYPE_CHECKING:
    from k8slab.linux.netns import NetNamespace

MUSL_LINE = 256  # bytes that musl reads of a line of resolv.conf; longer ones it leaves out
ASKERS: Mapping[str, type[GlibcAsker] | type[MuslAsker]] = {"glibc": GlibcAsker, "musl": MuslAsker}

# getaddrinfo's errors, in the words of gai_strerror
WORDS: Mapping[str, Mapping[str, str]] = {
    "glibc": {
        "EAI_NONAME": "Name or service not known",
        "EAI_NODATA": "No address associated with hostname",
        "EAI_AGAIN": "Temporary failure in name resolution",
    },
    "musl": {
        "EAI_NONAME": "Name does not resolve",
        "EAI_NODATA": "Name does not resolve",
        "EAI_AGAIN": "Try again",
    },
}


class Lookup(msgspec.Struct, frozen=True):
    """The end of a look-up: addresses, or an error."""

    name: str
    addresses: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()
    code: str = ""  # "EAI_NONAME", "EAI_NODATA", "EAI_AGAIN"; empty when found
    error: str = ""  # getaddrinfo's words

    @property
    def ip(self) -> str:
        """The address that programs try first. Raises ResolutionError.

        IPv4 comes before addresses of fc00::/7, which a cluster's own are (RFC 6724, section 2.1).
        """
        if not self.addresses:
            raise ResolutionError(self)
        return min(self.addresses, key=is_ipv6)

    def __repr__(self) -> str:
        lines = [f"{self.name}: {', '.join(self.addresses) or self.error}"]
        return "\n  ".join(lines + [str(query) for query in self.queries])


class ResolutionError(OSError):
    """A name without an address; prints as curl does."""

    def __init__(self, lookup: Lookup) -> None:
        super().__init__(f"Could not resolve host: {lookup.name}")
        self.lookup = lookup


def queries(name: str, resolv_conf: ResolvConf | str, *, libc: str = "glibc") -> list[str]:
    r"""Return the names that the libc asks for, in order, until one is answered.

    >>> conf = "search default.svc.cluster.local svc.cluster.local\noptions ndots:5"
    >>> queries("web", conf)
    ['web.default.svc.cluster.local', 'web.svc.cluster.local', 'web']
    >>> queries("example.com", "search svc.cluster.local", libc="musl")
    ['example.com']
    """
    conf = _conf(resolv_conf)
    if name.endswith("."):
        return [name.rstrip(".")]
    few = name.count(".") < conf.ndots
    searched = [f"{name}.{ending}" for ending in _endings(conf, libc)]
    if libc == "musl":
        return [*searched, name] if few else [name]
    return [*searched, name] if few else [name, *searched]


def _endings(conf: ResolvConf, libc: str) -> list[str]:
    """Return the search list as a libc has read it. Raises ValueError for an unknown libc."""
    if libc not in ASKERS:
        raise ValueError(f'expected libc "glibc" or "musl", found {libc!r}')
    if libc == "musl" and len(f"search {' '.join(conf.searches)}\n") >= MUSL_LINE:
        return []
    return [suffix.strip(".") for suffix in conf.searches if suffix.strip(".")]


async def lookup(
    ns: NetNamespace,
    name: str,
    resolv_conf: ResolvConf | str,
    *,
    libc: str = "glibc",
    hosts: Mapping[str, str] | None = None,
    owner: object = None,
    journey: Journey | None = None,
) -> Lookup:
    """Resolve a name as getaddrinfo does; `hosts` is /etc/hosts, name to address."""
    bare = name.rstrip(".")
    if _is_address(bare):
        return Lookup(name, (bare,))
    if hosts and bare in hosts:
        return Lookup(name, (hosts[bare],))
    asker = ASKERS[libc](ns, _conf(resolv_conf), owner, journey)
    outcomes: list[str] = []
    search = ns.queries or queries
    for candidate in search(name, resolv_conf, libc=libc):
        answers = await asker.ask(candidate)
        found = tuple(address for answer in answers for address in answer.addresses)
        if found:
            return Lookup(name, found, tuple(asker.log))
        rcodes = [answer.rcode for answer in answers]
        outcomes.append(outcome(rcodes))
        if stops(outcomes[-1], libc, NO_ANSWER in rcodes):
            break
    code = verdict(outcomes, libc, as_is_first=_as_is_first(name, resolv_conf))
    return Lookup(name, (), tuple(asker.log), code, WORDS[libc][code])


def outcome(rcodes: list[str]) -> str:
    """Return how the questions for one name ended, if not with an address."""
    if any(rcode not in ("NOERROR", "NXDOMAIN") for rcode in rcodes) or not rcodes:
        return "EAI_AGAIN"
    return "EAI_NONAME" if "NXDOMAIN" in rcodes else "EAI_NODATA"


def stops(result: str, libc: str, silent: bool) -> bool:
    """Say whether the libc gives up instead of asking for the next name."""
    if libc == "musl":
        return result != "EAI_NONAME"
    return silent  # glibc goes on after SERVFAIL, but not after silence


def verdict(outcomes: list[str], libc: str, *, as_is_first: bool) -> str:
    """Return the error that getaddrinfo reports after all names failed."""
    if libc == "musl" or not outcomes:
        return outcomes[-1] if outcomes else "EAI_AGAIN"
    if outcomes[-1] == "EAI_AGAIN":
        return "EAI_AGAIN"
    if as_is_first:
        return outcomes[0]
    for code in ("EAI_NODATA", "EAI_AGAIN"):
        if code in outcomes:
            return code
    return "EAI_NONAME"


def _conf(resolv_conf: ResolvConf | str) -> ResolvConf:
    return ResolvConf.parse(resolv_conf) if isinstance(resolv_conf, str) else resolv_conf


def _as_is_first(name: str, resolv_conf: ResolvConf | str) -> bool:
    return name.endswith(".") or name.count(".") >= _conf(resolv_conf).ndots


def _is_address(text: str) -> bool:
    try:
        ip_int(text)
    except ValueError:
        return False
    return True
