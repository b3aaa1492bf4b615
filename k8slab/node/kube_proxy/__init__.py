"""kube-proxy: Services become netfilter rules.

Upstream: pkg/proxy/iptables
"""
