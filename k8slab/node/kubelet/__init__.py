"""The kubelet: makes the Pods of its node true.

Upstream: pkg/kubelet
"""
