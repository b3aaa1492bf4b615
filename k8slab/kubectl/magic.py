"""`%kubectl` and `%%kubectl` in a notebook: the very command lines that one types in a terminal.

    %kubectl get pods -o wide          one command
    %%kubectl apply -f -               the rest of the cell is stdin; `%%kubectl` alone applies it

Both streams are printed as a terminal shows them. The cluster is the one given to `register`, or
else the notebook's variable `cluster`.

Rule of use: `register(ipython, cluster)`; IPython itself replaces `{name}` and `$name` in the line.

Upstream: none (IPython's magics)
"""

from __future__ import annotations

from typing import Any, Protocol


class HasKubectl(Protocol):
    """What the magic needs of a cluster."""

    def kubectl(self, command: str, stdin: str = "") -> str:
        """Run a command and return what it prints."""


def register(ipython: Any, cluster: HasKubectl | None = None) -> None:
    """Bring `%kubectl` to a notebook, for that cluster or the variable `cluster`."""

    def kubectl(line: str, cell: str | None = None) -> None:
        target = cluster if cluster is not None else _cluster_of(ipython)
        command = line.strip()
        if cell is not None:
            command = command or "apply -f -"
        print(target.kubectl(command, cell or ""), end="")

    ipython.register_magic_function(kubectl, magic_kind="line_cell", magic_name="kubectl")


def load_ipython_extension(ipython: Any) -> None:
    """Let `%load_ext k8slab` bring the magic, for the notebook's variable `cluster`."""
    register(ipython)


def _cluster_of(ipython: Any) -> HasKubectl:
    found: HasKubectl | None = ipython.user_ns.get("cluster")
    if found is None:
        raise NameError("%kubectl found no variable `cluster`: write `cluster = Cluster()` first")
    return found
