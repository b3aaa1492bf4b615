"""k8slab: a whole Kubernetes cluster in one Python process, made to be read."""
