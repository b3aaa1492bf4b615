"""The scheduler: queue, scheduling cycle, framework.

Upstream: pkg/scheduler
"""
