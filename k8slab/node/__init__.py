"""What runs on every node: kubelet, container runtime, CNI and kube-proxy.

Upstream: cmd/kubelet, cmd/kube-proxy
"""
