"""The API server: verbs, admission, defaulting, validation, watch.

Upstream: staging/src/k8s.io/apiserver, pkg/registry
"""
