"""What a node's kernel does: namespaces, links, routes, netfilter, conntrack, wire formats.

Upstream: Linux net/, iptables, iproute2
"""
