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
)

DEFAULTS = {  # as a cluster whose first family is IPv4 has them
    "ANY_IP": "0.0.0.0",
    "CLUSTER_DNS": "10.96.0.10",
    "LOCAL_HOST": "127.0.0.1",  # a HOST is an address as a URL has it
    "LOCAL_IP": "127.0.0.1",
}

_PLACEHOLDER = re.compile(r"__([A-Z_]+?)__")


def text(name: str, **values: str) -> str:
    """Return the YAML text of a manifest, with `__NAME__` replaced by `values["NAME"]`.

    Values that this manifest does not need are ignored; a missing one raises KeyError.
    """
    path = files(__name__).joinpath(*f"{name}.yaml".split("/"))
    values = {**DEFAULTS, **values}
    return _PLACEHOLDER.sub(lambda match: values[match[1]], path.read_text(encoding="utf-8"))
