"""The API server over HTTP on loopback, for real kubectl and other clients.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints
"""
