"""How wide a line of text will be, without drawing it.

`text_width` adds up the advances of DejaVu Sans, the font that matplotlib brings along and whose
widths Verdana shares; `fit` shortens a text to a width, `wrap` breaks it into lines.

Rule of use: layout asks here, so that it needs no renderer and takes microseconds.

Upstream: none
"""

from __future__ import annotations

# Advances of the characters " " to "~", in thousandths of the font's size.
_REGULAR_TEXT = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 "
    "636 636 636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 "
    "557 863 748 787 603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 "
    "635 550 635 615 352 635 634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 "
    "592 592 525 636 337 636 838"
)
_BOLD_TEXT = (
    "348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 "
    "696 696 696 696 400 400 838 838 838 580 1000 774 762 734 830 683 683 821 837 372 372 775 "
    "637 995 837 850 733 850 770 720 682 812 774 1103 771 724 725 457 365 457 838 500 500 675 "
    "716 593 716 678 435 716 712 343 343 665 343 1042 712 687 716 716 493 595 478 712 652 924 "
    "645 652 582 712 365 712 838"
)
_REGULAR = tuple(map(int, _REGULAR_TEXT.split()))
_BOLD = tuple(map(int, _BOLD_TEXT.split()))
_OTHER, _MONO = 1000, 602
ELLIPSIS = "…"


def text_width(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """Return the width in px of one line in letters of `size` px.

    >>> round(text_width("kubelet", 10))
    37
    """
    if mono:
        return len(text) * _MONO * size / 1000
    table = _BOLD if bold else _REGULAR
    thousandths = 0
    for character in text:
        place = ord(character) - 32
        thousandths += table[place] if 0 <= place < len(table) else _OTHER
    return thousandths * size / 1000


def fit(text: str, width: float, size: float, *, bold: bool = False, mono: bool = False) -> str:
    """Return the text, its middle left out as far as needed to be at most `width` px wide.

    Names end in what tells them apart, so more is kept of the end.
    """
    if text_width(text, size, bold=bold, mono=mono) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        tail = min(6, kept // 2)
        shorter = text[: kept - tail] + ELLIPSIS + text[len(text) - tail :]
        if text_width(shorter, size, bold=bold, mono=mono) <= width:
            return shorter
    return ELLIPSIS


def clip(text: str, width: float, size: float) -> str:
    """Return a sentence, its end left out as far as needed to be at most `width` px wide."""
    kept = len(text)
    while kept and text_width(text[:kept] + ELLIPSIS * (kept < len(text)), size) > width:
        kept -= 1
    return text if kept == len(text) else text[:kept].rstrip() + ELLIPSIS


def wrap(text: str, width: float, size: float, *, mono: bool = False) -> list[str]:
    """Break a text at its spaces into lines of at most `width` px; too long a word is shortened."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, mono=mono) <= width:
            lines[-1] = longer
        else:
            lines.append(fit(word, width, size, mono=mono))
    return lines or [""]
