"""Layout knows how wide a text will be before anybody draws it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.viz.drawing import Drawing, Text
from k8slab.viz.paint import text_boxes
from k8slab.viz.text_width import clip, fit, text_width, wrap

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("text", ["web-6f7d8c9b4-x2k9p", "kube-apiserver", "10.244.1.7:80"])
def test_the_width_is_that_of_the_painted_text(text, bold) -> None:
    drawing = Drawing(400, 40, (Text(x=10, y=20, text=text, bold=bold),))
    [(_, (left, _, right, _))] = text_boxes(drawing, 4.0)
    assert right - left == pytest.approx(text_width(text, 13, bold=bold), rel=0.04)


@given(WORDS, st.floats(30, 200))
def test_a_fitted_text_fits(text, width) -> None:
    assert text_width(fit(text, width, 11), 11) <= width
    assert text_width(clip(text, width, 11), 11) <= width


@given(WORDS, st.floats(60, 200))
def test_every_line_of_a_wrapped_text_fits(text, width) -> None:
    assert all(text_width(line, 11) <= width for line in wrap(text, width, 11))


def test_a_name_keeps_its_end() -> None:
    assert fit("recommendationservice-x2k9p", 110, 11).endswith("x2k9p")


def test_a_text_with_room_is_left_alone() -> None:
    assert fit("kubelet", 100, 11) == clip("kubelet", 100, 11) == "kubelet"
