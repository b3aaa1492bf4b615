"""The API server over HTTP on loopback, for real kubectl and other clients.

`Gateway` turns HTTP into calls and answers into HTTP, without sockets; `Driver` moves virtual time
with the wall clock; `Server` has the sockets; `serving` puts them together for a cluster.

Rule of use: `with cluster.serve() as url`; nothing outside 127.0.0.1 ever reaches it.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints
"""
