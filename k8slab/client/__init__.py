"""What every component is given: typed client, informer, work queue, event recorder.

Upstream: staging/src/k8s.io/client-go
"""
