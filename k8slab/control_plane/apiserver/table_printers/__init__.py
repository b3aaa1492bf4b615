"""One printer for each kind, by group of kinds: columns, and cells as a pure function.

`PRINTERS` has them by kind; a kind that is not there is printed as name and age.

Upstream: pkg/printers/internalversion/printers.go
"""

from k8slab.control_plane.apiserver.table_printers import (
    batch,
    cluster,
    config,
    network,
    pods,
    workloads,
)
from k8slab.control_plane.apiserver.table_printers.columns import Printer

PRINTERS: dict[str, Printer] = {
    **pods.PRINTERS,
    **workloads.PRINTERS,
    **batch.PRINTERS,
    **cluster.PRINTERS,
    **network.PRINTERS,
    **config.PRINTERS,
}
