from __future__ import annotations

from typing import Any

import pytest

from k8slab.classroom import predict, reveal
from k8slab.classroom.ledger import Ledger
from k8slab.classroom.pictures import LEAST, Spot, find_spots, lettered, overlay
from k8slab.viz.drawing import Box, Disc, Drawing, Text
from k8slab.viz.figure import Figure

FIGURE = Figure(
    Drawing(
        200,
        100,
        (
            Box(x=0, y=0, width=200, height=100),
            Box(x=10, y=10, width=60, height=30, tip="etcd: Ready"),
            Box(x=100, y=50, width=80, height=40),
            Text(x=140, y=70, text="Kubelet", anchor="middle"),
            Disc(x=150, y=20, radius=4, tip="you"),
        ),
    ),
    alt="three shapes",
    text="etcd, kubelet, you",
)
ASKED: dict[str, Any] = {"choices": ["etcd", "kubelet", "you"], "picture": FIGURE}


def test_a_shape_is_found_by_its_tip_and_a_box_by_its_text() -> None:
    etcd, kubelet, you = find_spots(FIGURE, ["etcd", "kubelet", "you"])
    assert etcd == Spot(10, 10, 60, 30)
    assert kubelet == Spot(100, 50, 80, 40)
    assert (you.width, you.height) == (LEAST, LEAST)  # a finger finds it


def test_a_choice_that_is_not_in_the_picture_is_said_at_once(book: Ledger) -> None:
    with pytest.raises(ValueError, match="no shape called nobody"):
        predict("06.p", "Who?", choices=["etcd", "nobody"], picture=FIGURE)
    with pytest.raises(ValueError, match="belongs to choices"):
        predict("06.p", "How many?", number=True, picture=FIGURE)


def test_letters_stand_on_the_shapes() -> None:
    drawn = lettered(FIGURE, find_spots(FIGURE, ["etcd", "you"]))
    letters = [item.text for item in drawn.drawing.items if isinstance(item, Text)]
    assert letters == ["Kubelet", "A", "B"]
    assert drawn.text == FIGURE.text


def test_a_picture_is_answered_and_scored_as_a_choice(book: Ledger) -> None:
    asked = predict("06.p", "Who?", **ASKED, guess="B")
    assert "Committed: kubelet" in asked.text
    assert "<svg" in asked._repr_mimebundle_()["text/html"]
    assert reveal("06.p", "kubelet").right


def test_the_buttons_lie_on_their_shapes_and_one_is_pressed() -> None:
    spots = find_spots(FIGURE, ["etcd", "kubelet"])
    grid, buttons, pressed = overlay(FIGURE, spots, ["A · etcd", "B · kubelet"])
    assert pressed() is None
    assert grid.layout.grid_template_columns.count("fr") == 5
    assert [one.layout.grid_area for one in buttons] == ["2 / 2 / 3 / 3", "4 / 4 / 5 / 5"]
    buttons[0].click()
    buttons[1].click()
    assert pressed() == 1
    assert [one.layout.border_top[:3] for one in buttons] == ["1px", "3px"]
