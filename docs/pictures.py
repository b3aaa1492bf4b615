"""Make the pictures of the README and of this folder: `.venv/bin/python docs/pictures.py`.

They are drawn from a running cluster, so they change only when the lab does.
"""

from __future__ import annotations

from pathlib import Path

from k8slab import Cluster

IMAGES = Path(__file__).parent / "images"
GUESTBOOK = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: redis-master}
spec:
  selector: {matchLabels: {app: redis, role: master}}
  template:
    metadata: {labels: {app: redis, role: master}}
    spec: {containers: [{name: master, image: "redis:8", ports: [{containerPort: 6379}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: redis-master}
spec: {selector: {app: redis, role: master}, ports: [{port: 6379}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: redis-replica}
spec:
  replicas: 2
  selector: {matchLabels: {app: redis, role: replica}}
  template:
    metadata: {labels: {app: redis, role: replica}}
    spec: {containers: [{name: replica, image: "redis:8", ports: [{containerPort: 6379}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: redis-replica}
spec: {selector: {app: redis, role: replica}, ports: [{port: 6379}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend}
spec:
  replicas: 3
  selector: {matchLabels: {app: guestbook}}
  template:
    metadata: {labels: {app: guestbook}}
    spec: {containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: frontend}
spec: {type: NodePort, selector: {app: guestbook}, ports: [{port: 80}]}
"""


def main() -> None:
    """Draw them all."""
    cluster = Cluster(workers=3, seed=7)
    cluster.apply(GUESTBOOK)
    cluster.run_until("deployment/frontend available")
    cluster.settle()
    IMAGES.mkdir(exist_ok=True)
    cluster.map().save(IMAGES / "guestbook.png")


if __name__ == "__main__":
    main()
