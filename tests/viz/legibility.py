"""Whether all letters of a drawing can be read: none clipped, none on another."""

from __future__ import annotations

from itertools import combinations

from k8slab.viz.drawing import Drawing
from k8slab.viz.paint import text_boxes

SCALES = (0.7, 1.0, 2.0)
SLACK = 1.5  # px, for hinting


def faults(drawing: Drawing, scales: tuple[float, ...] = SCALES) -> list[str]:
    """Say which texts leave the paper or lie on one another, at several sizes."""
    found = []
    for scale in scales:
        boxes = text_boxes(drawing, scale)
        for text, (left, top, right, bottom) in boxes:
            if left < -SLACK or top < -SLACK:
                found.append(f"{text!r} is clipped")
            if right > drawing.width + SLACK or bottom > drawing.height + SLACK:
                found.append(f"{text!r} is clipped")
        for (one, a), (other, b) in combinations(boxes, 2):
            wide = min(a[2], b[2]) - max(a[0], b[0])
            high = min(a[3], b[3]) - max(a[1], b[1])
            if wide > SLACK and high > SLACK + 2:
                found.append(f"{one!r} and {other!r} overlap by {wide:.0f} x {high:.0f} px")
    return found
