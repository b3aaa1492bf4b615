"""What a Pod calls itself: its host name, its full name, and its hosts file.

The name is that of the Pod, or what the spec says; with a subdomain there is a full name too, which
the DNS knows if a headless Service bears the subdomain's name.

Rule of use: pure; ValueError in upstream's words.

Upstream: pkg/kubelet/kubelet_pods.go (GeneratePodHostNameAndDomain, managedHostsFileContent),
pkg/kubelet/util/util.go (GetNodenameForKernel)
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.core import HostAlias, Pod

MAX_HOST_NAME = 63  # characters of a DNS label
MAX_KERNEL_NAME = 64  # characters, what the kernel takes
HEADER = "# Kubernetes-managed hosts file.\n"
HEADER_HOST_NETWORK = "# Kubernetes-managed hosts file (host network).\n"
LOCAL_NAMES = (
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "fe00::0\tip6-mcastprefix\n"
    "fe00::1\tip6-allnodes\n"
    "fe00::2\tip6-allrouters\n"
)


def host_name_and_domain(pod: Pod, cluster_domain: str) -> tuple[str, str]:
    """Return the Pod's host name, and its domain if it has one.

    >>> host_name_and_domain(Pod(), "cluster.local")
    ('', '')
    """
    spec = pod.spec
    if spec.hostnameOverride is not None:
        return _cut(spec.hostnameOverride, MAX_KERNEL_NAME), ""
    name = spec.hostname or _cut(pod.metadata.name, MAX_HOST_NAME)
    if not spec.subdomain:
        return name, ""
    return name, f"{spec.subdomain}.{pod.metadata.namespace}.svc.{cluster_domain}"


def kernel_name(pod: Pod, cluster_domain: str) -> str:
    """Return what `hostname` prints in the Pod. Raises ValueError if it is too long."""
    name, domain = host_name_and_domain(pod, cluster_domain)
    if not pod.spec.setHostnameAsFQDN or not domain:
        return name
    full = f"{name}.{domain}"
    if len(full) > MAX_KERNEL_NAME:
        raise ValueError(
            "failed to construct FQDN from pod hostname and cluster domain, "
            f"FQDN {full} is too long ({MAX_KERNEL_NAME} characters is the max, "
            f"{len(full)} characters requested)"
        )
    return full


def hosts_file(pod: Pod, ips: Sequence[str], cluster_domain: str, hosts_of_node: str) -> str:
    """Return the text of the Pod's /etc/hosts."""
    aliases = host_aliases(pod.spec.hostAliases)
    if pod.spec.hostNetwork:
        return f"{HEADER_HOST_NETWORK}{hosts_of_node}{aliases}"
    name, domain = host_name_and_domain(pod, cluster_domain)
    names = f"{name}.{domain}\t{name}" if domain else name
    own = "".join(f"{ip}\t{names}\n" for ip in ips)
    return f"{HEADER}{LOCAL_NAMES}{own}{aliases}"


def host_aliases(aliases: Sequence[HostAlias]) -> str:
    """Return the lines that the manifest adds."""
    if not aliases:
        return ""
    lines = "".join("\t".join((alias.ip, *alias.hostnames)) + "\n" for alias in aliases)
    return f"\n# Entries added by HostAliases.\n{lines}"


def _cut(name: str, length: int) -> str:
    return name[:length].rstrip("-.")
