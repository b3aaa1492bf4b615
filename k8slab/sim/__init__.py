"""Virtual time: everything that happens in the lab happens on this clock.

`Simulation` holds the clock, the queue of what is about to happen, the tasks and the trace.
`Signal` and `Queue` let tasks wait for one another; `Streams` gives each component its own
random numbers. Nothing here knows what a Pod is.

Rule of use: `async def` means that virtual time may pass; nothing ever looks at a wall clock.

Upstream: none (Kubernetes runs on real time)
"""

from k8slab.sim.kernel import Halted, Simulation
from k8slab.sim.streams import Rng, Streams
from k8slab.sim.sync import Queue, Signal
from k8slab.sim.task import Group, Killed, Task, TaskError
from k8slab.sim.timer import Timer
from k8slab.sim.trace import Record, Trace

__all__ = [
    "Group",
    "Halted",
    "Killed",
    "Queue",
    "Record",
    "Rng",
    "Signal",
    "Simulation",
    "Streams",
    "Task",
    "TaskError",
    "Timer",
    "Trace",
]
