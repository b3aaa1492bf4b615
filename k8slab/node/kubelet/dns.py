"""The resolv.conf of a Pod: which nameservers it asks, and which endings it tries.

    dnsPolicy                  nameservers        searches                               options
    ClusterFirst               the cluster DNS    ns.svc.domain svc.domain domain + host ndots:5
    ClusterFirst, hostNetwork  as Default: the surprise that ClusterFirstWithHostNet undoes
    Default                    those of the node  those of the node                      the node's
    None                       none               none                                   none
    dnsConfig                  comes after these; an option of the same name wins

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


class PodDNS(msgspec.Struct, frozen=True):
    """The file, and what had to be left out of it (messages of DNSConfigForming Events)."""

    conf: ResolvConf
    warnings: tuple[str, ...] = ()


def resolv_conf(
    pod: Pod, host: ResolvConf, *, cluster_dns: Sequence[str], cluster_domain: str
) -> ResolvConf:
    """Return the Pod's resolv.conf on a node whose own is `host`."""
    return pod_dns(pod, host, cluster_dns=cluster_dns, cluster_domain=cluster_domain).conf


def pod_dns(
    pod: Pod, host: ResolvConf, *, cluster_dns: Sequence[str], cluster_domain: str
) -> PodDNS:
    """Return the Pod's resolv.conf, with a warning for each line that had to be cut."""
    policy = pod.spec.dnsPolicy or "ClusterFirst"
    if policy == "ClusterFirst" and pod.spec.hostNetwork:
        policy = "Default"
    if policy.startswith("ClusterFirst") and not cluster_dns:
        policy = "Default"  # upstream warns with MissingClusterDNS and falls back likewise
    if policy == "None":
        base = ResolvConf()
    elif policy == "Default":
        base = host
    else:
        endings = (f"{pod.metadata.namespace}.svc.{cluster_domain}", f"svc.{cluster_domain}")
        searches = (*endings, cluster_domain, *host.searches) if cluster_domain else host.searches
        base = ResolvConf(tuple(cluster_dns), tuple(dict.fromkeys(searches)), ("ndots:5",))
    if pod.spec.dnsConfig is not None:
        base = _appended(base, pod.spec.dnsConfig)
    return _limited(base)


def _appended(base: ResolvConf, config: PodDNSConfig) -> ResolvConf:
    options = dict(option.partition(":")[::2] for option in base.options)
    for option in config.options:
        options[option.name] = option.value or ""
    return ResolvConf(
        _once((*base.nameservers, *config.nameservers)),
        _once((*base.searches, *config.searches)),
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _limited(conf: ResolvConf) -> PodDNS:
    """Cut what a resolver would not read."""
    warnings = []
    nameservers = conf.nameservers[:MAX_NAMESERVERS]
    if nameservers != conf.nameservers:
        warnings.append(
            "Nameserver limits were exceeded, some nameservers have been omitted, "
            f"the applied nameserver line is: {' '.join(nameservers)}"
        )
    searches: list[str] = []
    length = 0
    for path in conf.searches:
        length += len(path) + bool(searches)
        if len(searches) == MAX_SEARCHES or length > MAX_SEARCH_CHARS:
            break
        if len(path) > MAX_SEARCH_PATH_CHARS:
            length -= len(path) + 1
            continue
        searches.append(path)
    if tuple(searches) != conf.searches:
        warnings.append(
            "Search Line limits were exceeded, some search paths have been omitted, "
            f"the applied search line is: {' '.join(searches)}"
        )
    return PodDNS(ResolvConf(nameservers, tuple(searches), conf.options), tuple(warnings))


def _once(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
