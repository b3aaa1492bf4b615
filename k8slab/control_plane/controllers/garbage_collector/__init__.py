"""The garbage collector: deletes what belongs to nothing any more.

`graph` knows who owns whom, among all kinds of objects; `judge` says what has to be done about one
object; `GarbageCollector` is the loop. Three policies: Background (the owner goes at once, its
dependents follow), Foreground (they go first), Orphan (they are let go).

Rule of use: the uid decides; an owner of the same name that was made anew is another owner.

Upstream: pkg/controller/garbagecollector
"""

from k8slab.control_plane.controllers.garbage_collector.garbage_collector import GarbageCollector
from k8slab.control_plane.controllers.garbage_collector.graph import Graph, Node
from k8slab.control_plane.controllers.garbage_collector.judge import Verdict, judge

__all__ = ["GarbageCollector", "Graph", "Node", "Verdict", "judge"]
