"""The command line, as a package and as the notebook magic; speaks to the API server only.

Upstream: staging/src/k8s.io/kubectl
"""
