"""The file that tells clients where the cluster is.

Rule of use: one folder per served cluster, with kubectl's cache beside the file: kubectl remembers
for hours what a server at an address can do, and another cluster may get the same port.

Upstream: staging/src/k8s.io/client-go/tools/clientcmd
"""

from __future__ import annotations

from pathlib import Path

NAME = "k8slab"


def kubeconfig(url: str) -> str:
    """Return a kubeconfig for a server that takes whoever says nothing for ADMIN.

    There is no TLS; some clients want to be told that this is meant.

    >>> print(kubeconfig("http://127.0.0.1:6443").splitlines()[0])
    apiVersion: v1
    """
    return f"""\
apiVersion: v1
kind: Config
clusters:
- name: {NAME}
  cluster:
    server: {url}
    insecure-skip-tls-verify: true
contexts:
- name: {NAME}
  context:
    cluster: {NAME}
    user: kubernetes-admin
current-context: {NAME}
users:
- name: kubernetes-admin
  user: {{}}
"""


def environment(folder: Path) -> dict[str, str]:
    """Return the variables by which kubectl finds the cluster."""
    return {"KUBECONFIG": str(folder / "config"), "KUBECACHEDIR": str(folder / "cache")}


def write(folder: Path, url: str) -> dict[str, str]:
    """Write the kubeconfig into a folder and return the variables that point there."""
    variables = environment(folder)
    Path(variables["KUBECONFIG"]).write_text(kubeconfig(url), encoding="utf-8")
    return variables
