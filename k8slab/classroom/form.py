"""The form in which a learner commits an answer, made of ipywidgets.

`form(question, on_commit)` returns the widget: radio buttons for a choice or a picture to click, a
box for a number, a list of drop-downs for an order, check boxes for a set; how sure they are; a
button. All of it works from the keyboard. What `on_commit` returns is shown below it, as HTML.

Rule of use: a committed form is locked; to answer again, run the cell again. No Output widgets.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8slab.classroom import page
from k8slab.classroom.questions import Answer, Question, letters, read_answer
from k8slab.classroom.scoring import CONFIDENCE
from k8slab.viz.figure import Figure

OnCommit = Callable[[Answer, float], str]  # answer and confidence in, HTML out
WIDE = "46em"


def available() -> bool:
    """Say whether there is something to make forms of, and a notebook to show them."""
    try:
        import ipywidgets  # noqa: F401
        from IPython import get_ipython
    except ImportError:
        return False
    return get_ipython() is not None


def form(question: Question, on_commit: OnCommit, picture: Figure | None = None) -> Any:
    """Return the form of a question as a widget; a choice may be one of a picture's shapes."""
    import ipywidgets as widgets

    head = widgets.HTML(page.paragraph(question.text, strong=True), layout={"max_width": WIDE})
    shown, fields, read = _fields(question) if picture is None else _shapes(question, picture)
    sure = widgets.ToggleButtons(
        options=list(CONFIDENCE), description="I am", tooltips=list(CONFIDENCE)
    )
    sure.style.button_width = "8em"
    button = widgets.Button(
        description="Commit", button_style="primary", icon="check", layout={"margin": "8px 2px 4px"}
    )
    said = widgets.HTML("", layout={"max_width": WIDE})

    def commit(_: Any) -> None:
        try:
            answer = read_answer(question, read())
        except ValueError as problem:
            said.value = page.paragraph(f"Not yet: {problem}.")
            return
        for widget in (*fields, sure, button):
            widget.disabled = True
        button.description = "Committed"
        said.value = on_commit(answer, CONFIDENCE[sure.value])

    button.on_click(commit)
    return widgets.VBox([head, *shown, sure, button, said])


def _shapes(question: Question, picture: Figure) -> tuple[list[Any], list[Any], Callable[[], Any]]:
    """Return a picture with a button on each choice's shape, and what is pressed in words."""
    import ipywidgets as widgets

    from k8slab.classroom.pictures import find_spots, lettered, overlay

    spots = find_spots(picture, [one.text for one in question.choices])
    named = letters(question)
    labels = [f"{letter} · {text}" for letter, text in named]
    grid, buttons, pressed = overlay(lettered(picture, spots), spots, labels)
    said = widgets.HTML(page.paragraph("Click a shape, or press Tab and Space."))

    def tell(_: Any) -> None:
        number = pressed()
        if number is not None:
            said.value = page.paragraph(f"Chosen: {labels[number]}", strong=True)

    for button in buttons:
        button.on_click(tell)

    def read() -> Any:
        number = pressed()
        return _chosen(None if number is None else named[number][1])

    return [grid, said], buttons, read


def _fields(question: Question) -> tuple[list[Any], list[Any], Callable[[], Any]]:
    """Return the widgets of an answer, those that take it, and a function that reads them."""
    import ipywidgets as widgets

    full: Any = {"width": "auto", "max_width": WIDE}
    # Labels of widgets are plain text: a back quote would show.
    named = [(f"{letter} · {text.replace('`', '')}", text) for letter, text in letters(question)]
    if question.kind == "choice":
        radio = widgets.RadioButtons(options=named, value=None, layout=full)
        return [radio], [radio], lambda: _chosen(radio.value)
    if question.kind == "number":
        box = widgets.Text(placeholder="a number", description=question.unit or "")
        return [box], [box], lambda: box.value
    if question.kind == "set":
        boxes = [
            widgets.Checkbox(description=label, indent=False, layout=full) for label, _ in named
        ]
        return (
            boxes,
            boxes,
            lambda: [text for box, (_, text) in zip(boxes, named, strict=True) if box.value],
        )
    listed = widgets.HTML(page.choices(letters(question)), layout={"max_width": WIDE})
    places = [
        widgets.Dropdown(
            options=[("choose", ""), *named],  # None would be shown as nothing at all
            value="",
            description=f"{number}.",
            layout={"width": WIDE},
        )
        for number in range(1, len(named) + 1)
    ]
    return [listed, *places], places, lambda: [_chosen(place.value or None) for place in places]


def _chosen(value: Any) -> Any:
    if value is None:
        raise ValueError("something is still to be chosen")
    return value
