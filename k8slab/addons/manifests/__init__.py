"""The manifests that make a cluster out of machines: what `kubeadm init` and kind apply.

`text("coredns")` and `text("static/etcd", ADVERTISE_IP=..., NODE_NAME=...)` return a file with its
placeholders (`__NAME__`) filled in. The files under `static/` are for the kubelet's
/etc/kubernetes/manifests, the others are applied to the API server. They are meant to be read.

Rule of use: every placeholder but those of `DEFAULTS` must get a value; the images name the
programs that run.

Upstream: cmd/kubeadm/app/phases
"""

from __future__ import annotations

import re
from importlib.resources import files

STATIC = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
ADDONS = ("kindnet", "kube-proxy", "coredns", "storage-class")
OPTIONAL = (  # applied by whoever wants them
    "cloud-controller-manager",
    "ingress-nginx",
    "metrics-server",
    "nginx-gateway",
    "nodelocaldns",
)

DEFAULTS = {  # as a cluster whose first family is IPv4 has them
    "ANY_IP": "0.0.0.0",
    "CLUSTER_DNS": "10.96.0.10",
    "LOCAL_HOST": "127.0.0.1",  # a HOST is an address as a URL has it
    "LOCAL_IP": "127.0.0.1",
}

# Words such as __PILLAR__LOCAL__DNS__ are no placeholders of ours: they are nodelocaldns' own.
_PLACEHOLDER = re.compile(r"(?<![A-Z_])__([A-Z]+(?:_[A-Z]+)*)__(?![A-Z_])")


def text(name: str, **values: str) -> str:
    """Return the YAML text of a manifest, with `__NAME__` replaced by `values["NAME"]`.

    Values that this manifest does not need are ignored; a missing one raises KeyError.
    """
    path = files(__name__).joinpath(*f"{name}.yaml".split("/"))
    values = {**DEFAULTS, **values}
    return _PLACEHOLDER.sub(lambda match: values[match[1]], path.read_text(encoding="utf-8"))


def node_local_dns(
    local: str = "169.254.20.10", server: str = "10.96.0.10", domain: str = "cluster.local"
) -> str:
    """Return the manifest of the DNS cache for every node, ready to be applied.

    `local` is an address that only means the own node, `server` that of the kube-dns Service. An
    empty `server` is for clusters whose kubelets give Pods the local address: then kube-proxy's
    rules for kube-dns stay as they are.
    """
    found = text("nodelocaldns")
    for pillar, value in (
        ("__PILLAR__LOCAL__DNS__", local),
        (",__PILLAR__DNS__SERVER__" if not server else "__PILLAR__DNS__SERVER__", server),
        ("__PILLAR__DNS__SERVER__", server),
        ("__PILLAR__DNS__DOMAIN__", domain),
    ):
        found = found.replace(pillar, value)
    return found
