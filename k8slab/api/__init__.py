"""The nouns: every object that the API server stores, and how text becomes one.

Upstream: staging/src/k8s.io/api, staging/src/k8s.io/apimachinery
"""
