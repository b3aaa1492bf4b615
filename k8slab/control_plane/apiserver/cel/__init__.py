"""The Common Expression Language (CEL), as rules in the API are written.

`syntax` reads a text into a tree, `check` finds names that mean nothing, `evaluate` computes the
tree for given variables, `functions` is the library, `values` what there is beside plain data.

    parse("self.replicas <= 10").evaluate({"self": {"replicas": 3}})  ->  True

Rule of use: `parse` raises CelSyntaxError, `evaluate` raises CelError; both in CEL's own words.

Upstream: github.com/google/cel-go, staging/src/k8s.io/apiserver/pkg/cel
"""

from k8slab.control_plane.apiserver.cel.check import undeclared
from k8slab.control_plane.apiserver.cel.evaluate import evaluate
from k8slab.control_plane.apiserver.cel.syntax import CelSyntaxError, Node, parse
from k8slab.control_plane.apiserver.cel.values import CelError, Optional

__all__ = ["CelError", "CelSyntaxError", "Node", "Optional", "evaluate", "parse", "undeclared"]
