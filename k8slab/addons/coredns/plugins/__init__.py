"""The plugins of CoreDNS, each in a file that bears its name; `HANDLERS` has those that answer.

Rule of use: chain.py puts them together; nothing else makes them.

Upstream: coredns plugin/
"""

from collections.abc import Mapping

from k8slab.addons.coredns.plugin import Handler
from k8slab.addons.coredns.plugins.acl import Acl
from k8slab.addons.coredns.plugins.any import Any
from k8slab.addons.coredns.plugins.autopath import Autopath
from k8slab.addons.coredns.plugins.cache import Cache
from k8slab.addons.coredns.plugins.chaos import Chaos
from k8slab.addons.coredns.plugins.erratic import Erratic
from k8slab.addons.coredns.plugins.errors import Errors
from k8slab.addons.coredns.plugins.forward import Forward
from k8slab.addons.coredns.plugins.hosts import Hosts
from k8slab.addons.coredns.plugins.kubernetes import Kubernetes
from k8slab.addons.coredns.plugins.loadbalance import Loadbalance
from k8slab.addons.coredns.plugins.log import Log
from k8slab.addons.coredns.plugins.loop import Loop
from k8slab.addons.coredns.plugins.minimal import Minimal
from k8slab.addons.coredns.plugins.rewrite import Rewrite
from k8slab.addons.coredns.plugins.template import Template
from k8slab.addons.coredns.plugins.whoami import Whoami

HANDLERS: Mapping[str, type[Handler]] = {
    "acl": Acl,
    "any": Any,
    "autopath": Autopath,
    "cache": Cache,
    "chaos": Chaos,
    "erratic": Erratic,
    "errors": Errors,
    "forward": Forward,
    "hosts": Hosts,
    "kubernetes": Kubernetes,
    "loadbalance": Loadbalance,
    "log": Log,
    "loop": Loop,
    "minimal": Minimal,
    "rewrite": Rewrite,
    "template": Template,
    "whoami": Whoami,
}

__all__ = ["HANDLERS"]
