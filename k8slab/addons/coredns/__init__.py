"""CoreDNS: the cluster's DNS server.

Upstream: coredns plugin/kubernetes
"""
