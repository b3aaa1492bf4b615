"""What a cluster needs beside its own programs.

Upstream: cluster/addons
"""
