"""The container runtime: images are programs, containers are tasks.

Upstream: staging/src/k8s.io/cri-api, containerd
"""
