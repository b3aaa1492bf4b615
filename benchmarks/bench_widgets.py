"""Every widget, redrawn with 5, 50 and 200 Pods about: median and 95th percentile; players' sizes.

A redraw is all that the kernel does after a click: the picture, the words, and the SVG text.
"""

import gc
import statistics
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.bench_viz import MANIFEST, SIZES
from benchmarks.measure import Row, timed
from k8slab import Cluster, viz
from k8slab.viz.widgets.trial import Trial

ROUNDS = 20
GUESSES: Mapping[str, Mapping[str, str]] = {
    "watch_stream": {"wrong": "neither"},
    "resolver_trace": {"names": "1", "end": "an address"},
    "pod_scope": {"status": "Running", "ready": "ready", "restarts": "no"},
    "scheduling_board": {"node": "worker-1"},
    "steps": {"who": "you"},
    "light_up": {"first": "kube-controller-manager", "dark": "coredns"},
    "reconcile_stepper": {"action": "nothing"},
    "rule_debugger": {"end": "rewritten to a Pod", "ways": "3"},
    "packet_card": {"outcome": "answered", "seen": "the client's own"},
    "load_generator": {"share": "one Pod served all", "failed": "none"},
    "slice_workbench": {"ready": "true", "serving": "true", "terminating": "false", "port": "80"},
    "scale_lens": {"iptables": "a few, always", "nftables": "a few, always"},
    "rollout_dials": {"most": "5", "least": "3", "end": "ends"},
    "incident_console": {"layer": "the name"},  # breaks the cluster: last
}
OTHERS: tuple[Callable[[Cluster], Any], ...] = (viz.time_bar, viz.explorer, viz.label_magnet)


def rows() -> Iterator[Row]:
    """Measure each widget at each size."""
    for pods in SIZES:
        cluster = Cluster(workers=3, seed=7)
        cluster.apply(MANIFEST.format(replicas=pods))
        cluster.run(30)
        for make in OTHERS:
            yield from of(make.__name__, make(cluster), pods)
        for name, guesses in GUESSES.items():
            widget = getattr(viz, name)(cluster)
            assert isinstance(widget, Trial)
            widget.guess(**guesses)
            yield from of(name, widget, pods)


def of(name: str, widget: Any, pods: int) -> Iterator[Row]:
    """Measure the redraws of one widget, and the size of its player."""
    assert widget.box
    gc.collect()  # once: a collection takes longer than most redraws
    times = sorted(timed(widget.redraw) * 1e3 for _ in range(ROUNDS))
    yield Row(f"{name} redraws, {pods} Pods, median", statistics.median(times), "ms")
    yield Row("  95th percentile", times[round(0.95 * ROUNDS) - 1], "ms")
    with TemporaryDirectory() as folder:
        path = widget.export_html(Path(folder) / "player.html")
        yield Row("  its player", path.stat().st_size / 1000, "kB")
