"""The API server: every read and write of the cluster's state goes through here.

`APIServer(sim, etcd).handle(request)` answers one `client.Request`. Its parts: `registry` (verbs),
`strategy`, `admission`, `defaults`, `validation` (what happens to an object on its way),
`cacher` (lists and watches), `storage` (etcd), `subresources`, `tables` (what kubectl prints).

Rule of use: components never import this package; they are given a client.

Upstream: staging/src/k8s.io/apiserver, pkg/controlplane
"""

from k8slab.control_plane.apiserver.server import APIServer

__all__ = ["APIServer"]
