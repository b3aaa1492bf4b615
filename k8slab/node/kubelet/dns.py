"""The resolv.conf of a Pod: which nameservers it asks, and which endings it tries.

    dnsPolicy                  nameservers        searches                               options
    ClusterFirst               the cluster DNS    ns.svc.domain svc.domain domain + host ndots:5
    ClusterFirst, hostNetwork  as Default: the surprise that ClusterFirstWithHostNet undoes
    Default                    those of the node  those of the node                      the node's
    None                       none               none                                   none
    dnsConfig                  comes after these; an option of the same name wins

A resolver reads three nameservers; Kubernetes allows 32 endings of 2,048 characters together (glibc
before 2.26 read 6 of 256). What does not fit is left out, and an Event says so.

Rule of use: `resolv_conf` is pure; `str()` of its result is the file.

Upstream: pkg/kubelet/network/dns/dns.go
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from k8slab.api.core import Pod, PodDNSConfig
from k8slab.linux.resolv_conf import MAX_NAMESERVERS, ResolvConf

MAX_SEARCHES = 32
MAX_SEARCH_CHARS = 2048
MAX_SEARCH_PATH_CHARS = 253  # of one path, RFC 1123
CLUSTER_SEARCHES = 3  # of 32, that a node's own resolv.conf must leave free
FORMING, MISSING, CHECK = "DNSConfigForming", "MissingClusterDNS", "CheckLimitsForResolvConf"


class Warned(msgspec.Struct, frozen=True):
    """An Event about a Pod's settings: its reason and message; some are about the node as well."""

    reason: str
    message: str
    of_node: str = ""  # the message of the node's Event


class PodDNS(msgspec.Struct, frozen=True):
    """The file, and what had to be left out of it."""

    conf: ResolvConf
    events: tuple[Warned, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The messages of the Events."""
        return tuple(event.message for event in self.events)


def resolv_conf(
    pod: Pod, host: ResolvConf, *, cluster_dns: Sequence[str], cluster_domain: str
) -> ResolvConf:
    """Return the Pod's resolv.conf on a node whose own is `host`."""
    return pod_dns(pod, host, cluster_dns=cluster_dns, cluster_domain=cluster_domain).conf


def pod_dns(
    pod: Pod, host: ResolvConf, *, cluster_dns: Sequence[str], cluster_domain: str
) -> PodDNS:
    """Return the Pod's resolv.conf, with an Event for whatever could not be as it should."""
    policy = pod.spec.dnsPolicy or "ClusterFirst"
    events: list[Warned] = []
    if policy == "ClusterFirst" and pod.spec.hostNetwork:
        policy = "Default"
    if policy.startswith("ClusterFirst") and not cluster_dns:
        policy = "Default"
        events.append(_missing(pod))
    if policy == "None":
        base = ResolvConf()
    elif policy == "Default":
        base = host
    else:
        endings = (f"{pod.metadata.namespace}.svc.{cluster_domain}", f"svc.{cluster_domain}")
        searches = (*endings, cluster_domain, *host.searches) if cluster_domain else host.searches
        base = ResolvConf(tuple(cluster_dns), _once(searches), ("ndots:5",))
    if pod.spec.dnsConfig is not None:
        base = _appended(base, pod.spec.dnsConfig)
    conf, cut = _limited(base)
    return PodDNS(conf, (*events, *cut))


def _missing(pod: Pod) -> Warned:
    """Return the Event about a kubelet that knows no cluster DNS."""
    words = (
        "kubelet does not have ClusterDNS IP configured and cannot create Pod using "
        '"ClusterFirst" policy. Falling back to "Default" policy.'
    )
    meta = pod.metadata
    return Warned(MISSING, f'pod: "{meta.name}_{meta.namespace}({meta.uid})". {words}', words)


def _appended(base: ResolvConf, config: PodDNSConfig) -> ResolvConf:
    options = dict(option.partition(":")[::2] for option in base.options)
    for option in config.options:
        options[option.name] = option.value or ""
    return ResolvConf(
        _once((*base.nameservers, *config.nameservers)),
        _once((*base.searches, *config.searches)),
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _limited(conf: ResolvConf) -> tuple[ResolvConf, list[Warned]]:
    """Return what a resolver would read, and an Event for each line that was cut."""
    events = []
    nameservers = conf.nameservers[:MAX_NAMESERVERS]
    if nameservers != conf.nameservers:
        message = _cut("Nameserver", "nameserver line", "nameservers", nameservers)
        events.append(Warned(FORMING, message))
    searches = fitting_searches(conf.searches)
    if searches != conf.searches:
        events.append(Warned(FORMING, _cut("Search Line", "search line", "search paths", searches)))
    return ResolvConf(nameservers, searches, conf.options), events


def fitting_searches(searches: Sequence[str]) -> tuple[str, ...]:
    """Return the first endings that are allowed: so many, none too long, all of them together.

    >>> len(fitting_searches([f"ending-{number}.example" for number in range(40)]))
    32
    >>> fitting_searches(["a" * 254, "b.example"])
    ('b.example',)
    """
    few = [path for path in searches[:MAX_SEARCHES] if len(path) <= MAX_SEARCH_PATH_CHARS]
    while len(" ".join(few)) > MAX_SEARCH_CHARS:
        few.pop()
    return tuple(few)


def _cut(limits: str, line: str, what: str, kept: Sequence[str]) -> str:
    return (
        f"{limits} limits were exceeded, some {what} have been omitted, "
        f"the applied {line} is: {' '.join(kept)}"
    )


def host_limits(host: ResolvConf, path: str, cluster_domain: str) -> str:
    """Return what is too much in a node's own resolv.conf, "" if nothing is.

    >>> host_limits(ResolvConf((), tuple("abcdefgh" * 4)), "/etc/resolv.conf", "cluster.local")
    "Resolv.conf file '/etc/resolv.conf' contains search line consisting of more than 29 domains!"
    """
    most = MAX_SEARCHES - (CLUSTER_SEARCHES if cluster_domain else 0)
    line = f"Resolv.conf file '{path}' contains search line"
    if len(host.searches) > most:
        return f"{line} consisting of more than {most} domains!"
    if any(len(search) > MAX_SEARCH_PATH_CHARS for search in host.searches):
        return (
            f'Resolv.conf file "{path}" contains a search path which length is more than allowed '
            f"{MAX_SEARCH_PATH_CHARS} chars!"
        )
    if len(" ".join(host.searches)) > MAX_SEARCH_CHARS:
        return f"{line} which length is more than allowed {MAX_SEARCH_CHARS} chars!"
    return ""


def _once(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
