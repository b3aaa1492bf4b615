"""A figure is a picture and its twin in words, the same bytes every time."""

import xml.etree.ElementTree as ElementTree

import pytest

from k8slab.viz.drawing import Box, Disc, Drawing, Line, Polygon, Text, arrow
from k8slab.viz.figure import Figure

DRAWING = Drawing(
    200,
    100,
    (
        Box(x=5, y=5, width=60, height=30, fill="panel", stroke="rule", dashed=True, tip="a <tip>"),
        Disc(x=90, y=20, radius=8, fill="#0072B2"),
        Polygon(points=((120, 5), (140, 5), (130, 25)), stroke="ink"),
        Line(points=((5, 60), (100, 60)), dashed=True),
        Text(x=10, y=80, text="a & b < c", bold=True, mono=True, anchor="start"),
        *arrow([(110, 60), (180, 60)]),
    ),
)


def figure() -> Figure:
    return Figure(DRAWING, alt="some shapes", text="shapes: 5")


def test_the_same_drawing_gives_the_same_bytes() -> None:
    assert figure().png() == figure().png()
    assert figure().svg() == figure().svg()


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_the_svg_is_well_formed_and_says_its_alt_text(theme) -> None:
    root = ElementTree.fromstring(figure().svg(theme))
    assert root.attrib["aria-label"] == "some shapes"
    assert root.attrib["role"] == "img"


def test_the_svg_refers_to_nothing_outside() -> None:
    text = figure().svg().replace("http://www.w3.org/2000/svg", "")
    assert "http" not in text
    assert "url(" not in text


def test_light_and_dark_differ() -> None:
    assert figure().png("light") != figure().png("dark")


@pytest.mark.parametrize("words", [{"alt": "", "text": "x"}, {"alt": "x", "text": " "}])
def test_a_figure_without_words_is_refused(words) -> None:
    with pytest.raises(ValueError, match="alt text"):
        Figure(DRAWING, **words)


def test_a_notebook_gets_the_picture_and_the_words() -> None:
    data, metadata = figure()._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == "shapes: 5"
    assert metadata["image/png"] == {"width": 200, "height": 100, "alt": "some shapes"}


def test_a_figure_can_be_saved(tmp_path) -> None:
    assert figure().save(tmp_path / "a.png").read_bytes() == figure().png()
    assert figure().save(tmp_path / "a.svg").read_text().startswith("<svg")
    with pytest.raises(ValueError, match=r"\.png or \.svg"):
        figure().save(tmp_path / "a.gif")
