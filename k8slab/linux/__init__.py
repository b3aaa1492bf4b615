"""What a node's kernel does: namespaces, links, routes, netfilter, conntrack, sockets.

Read netns.py first (what programs and the CNI call), then ip_path.py (the way of a packet through
one namespace), hooks.py and chains.py (how rules judge it), conntrack.py and nat.py (why a reply
finds its way back). netfilter.py reads and prints iptables-save text, ruletrace.py asks it
what-if, journey.py records a real packet, resolver.py turns names into questions.

Rule of use: nothing here knows of Kubernetes; no MTU, no windows, no ARP delay.

Upstream: Linux net/, iptables, iproute2
"""
