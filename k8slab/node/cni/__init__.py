"""The Pod network: addresses, bridges and routes.

Upstream: containernetworking/plugins
"""
