"""How long figures and widgets take: a redraw as SVG, a picture as PNG, at three sizes."""

from collections.abc import Iterator

from benchmarks.measure import Row, compared, seconds
from k8slab import Cluster
from k8slab.viz import architecture_map, explorer, membership
from k8slab.viz.widgets.widget import picture

SIZES = (5, 50, 200)
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: nginx, image: nginx}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}
"""


def rows() -> Iterator[Row]:
    for pods in SIZES:
        cluster = Cluster(workers=3, seed=7)
        cluster.apply(MANIFEST.format(replicas=pods))
        cluster.run(30)
        yield from redraws(cluster, pods)


def redraws(cluster: Cluster, pods: int) -> Iterator[Row]:
    live = explorer(cluster)
    assert live.box
    drawn = architecture_map(cluster)
    drawn.png()  # loads matplotlib
    yield Row(f"live map redraws, {pods} Pods", 1000 * seconds(live.redraw), "ms")
    magnet = 1000 * seconds(lambda: picture(membership(cluster)))
    yield Row(f"label magnet redraws, {pods} Pods", magnet, "ms")
    name = f"the map as SVG, {pods} Pods"
    yield compared(name, drawn.svg, "the same as PNG", drawn.png, count=1, rounds=3)
