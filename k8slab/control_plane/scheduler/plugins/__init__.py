"""The scheduler's plugins, one file each.

Upstream: pkg/scheduler/framework/plugins
"""
