"""The scheduling framework: what a plugin is, what it is given, and who calls it when.

`interface` has the words (Status, CycleState, the extension points), `types` has what is known of
a node (NodeInfo, PodInfo), `runtime` runs the plugins of one profile in order.

Rule of use: plugins import from here; nothing here imports a plugin.

Upstream: pkg/scheduler/framework
"""
