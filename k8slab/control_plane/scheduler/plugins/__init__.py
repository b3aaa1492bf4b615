"""The scheduler's plugins, one file each.

Rule of use: a plugin knows nothing of other plugins; the profile puts them together.

Upstream: pkg/scheduler/framework/plugins
"""
