"""kubectl: the command line of the cluster, as a Python package and as the notebook's magic.

`await Kubectl(transport, now, sleep=...).run("get pods")` returns a `Result`; `magic.register`
brings `%kubectl` to a notebook.

Rule of use: it asks the API server through a `Transport`, as everybody does.

Upstream: staging/src/k8s.io/kubectl
"""

from k8slab.kubectl.kubectl import Kubectl, Result

__all__ = ["Kubectl", "Result"]
