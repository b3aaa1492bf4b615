"""The control plane: etcd, API server, scheduler and controllers, one package each.

Upstream: cmd/kube-apiserver, cmd/kube-scheduler, cmd/kube-controller-manager
"""
