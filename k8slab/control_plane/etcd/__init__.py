"""etcd: the one place where the cluster's objects are kept, every revision of them.

`Backend` is what lies on disk and survives a restart; `Etcd` is the server that opens it: reads
at any revision, compare-and-swap writes, watches from a revision, compaction, leases.

Rule of use: only the API server talks to etcd; all others talk to the API server.

Upstream: etcd server/storage/mvcc
"""

from k8slab.control_plane.etcd.endpoint import Endpoint, Unavailable
from k8slab.control_plane.etcd.mvcc import Backend, Compacted, Etcd, FutureRevision, KeyValue

__all__ = [
    "Backend",
    "Compacted",
    "Endpoint",
    "Etcd",
    "FutureRevision",
    "KeyValue",
    "Unavailable",
]
