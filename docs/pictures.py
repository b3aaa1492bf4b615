"""Make the pictures of the README and of this folder: `.venv/bin/python docs/pictures.py`.

They are drawn from a running cluster, so they change only when the lab does.
"""

from __future__ import annotations

from pathlib import Path

from k8slab import Cluster

IMAGES = Path(__file__).parent / "images"
GUESTBOOK = Path(__file__).with_name("guestbook.yaml")


def main() -> None:
    """Draw them all."""
    cluster = Cluster(workers=3, seed=7)
    cluster.apply(GUESTBOOK.read_text())
    cluster.run_until("deployment/frontend available")
    cluster.settle()
    IMAGES.mkdir(exist_ok=True)
    cluster.map().save(IMAGES / "guestbook.png")


if __name__ == "__main__":
    main()
