"""Feedback as web pages: one for each learner, and an index for the instructor.

`pages(learners)` returns the text of every file by its name. A page is complete in itself: no
script, no font, no picture from elsewhere, in the light or dark look that the reader has chosen.

Rule of use: whatever a learner may have written is escaped, names of files too.

Upstream: none
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from k8slab.classroom import page
from k8slab.classroom.exercises import find
from k8slab.classroom.grading.report import Learner, Report
from k8slab.classroom.misunderstandings import MISUNDERSTANDINGS
from k8slab.classroom.verdicts import Rung, Verdict

MARKS: dict[Rung, str] = {
    "right": "&#10003;",
    "almost": "&#8776;",
    "keep working": "&#8635;",
    "wrong kind": "&#8800;",
    "not started": "&#8230;",
}
SHOWN = 5  # pieces of evidence
INDEX = "index.html"
LOOK = """
:root { color-scheme: light dark; --line: #c8ccd0; --muted: #57606a; --right: #0072b2;
  --almost: #56b4e9; --other: #d55e00; }
@media (prefers-color-scheme: dark) { :root { --line: #444c56; --muted: #9aa4af;
  --right: #56b4e9; --almost: #8ccbf0; --other: #e69f00; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin-top: 2em; } h3 { font-size: 1em; margin: 0; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .3em 1em .3em 0;
  border-bottom: 1px solid var(--line); } td.n { text-align: right; }
section { border-left: 5px solid var(--other); padding: .1em 1em; margin: 1.2em 0; }
section.right { border-color: var(--right); } section.almost { border-color: var(--almost);
  border-left-style: double; }
.quiet { color: var(--muted); } progress { width: 10em; accent-color: var(--right); }
"""


def pages(learners: Sequence[Learner]) -> dict[str, str]:
    """Return the text of each page by the name of its file."""
    taken = [INDEX]
    for one in learners:
        taken.append(file_name(one.name, taken))
    named = dict(zip(taken[1:], learners, strict=True))
    found = {name: _document(one.name, _learner(one)) for name, one in named.items()}
    return {INDEX: _document("Results", _index(named)), **found}


def file_name(learner: str, taken: Sequence[str]) -> str:
    """Return what a learner's page is called, unlike those that are taken.

    >>> file_name("../Ann O'Neil", ["ann-o-neil.html"])
    'ann-o-neil-2.html'
    """
    slug = re.sub(r"[^a-z0-9]+", "-", learner.lower()).strip("-")[:40] or "learner"
    names = (f"{slug}.html", *(f"{slug}-{number}.html" for number in range(2, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def _document(title: str, inside: str) -> str:
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{LOOK}</style>'
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    whole = f'<html lang="en"><head>{head}{view}</head>\n<body>{inside}</body></html>'
    return f"<!DOCTYPE html>\n{whole}\n"


def _index(named: dict[str, Learner]) -> str:
    rows = "".join(
        f'<tr><td><a href="{name}">{html.escape(one.name)}</a></td>'
        f'<td class="n">{one.points:g} of {one.of}</td><td>{_bar(one.points, one.of)}</td>'
        f"<td>{html.escape(_chapters(one))}</td></tr>\n"
        for name, one in named.items()
    )
    head = "<tr><th>Learner</th><th>Points</th><th></th><th>Chapters</th></tr>"
    return f"<h1>Results</h1><table>{head}\n{rows}</table>"


def _chapters(learner: Learner) -> str:
    counted = [f"{one.chapter[:2]}: {one.points:g}/{one.of}" for one in learner.counted]
    failed = sum(not one.graded for one in learner.reports)
    return ", ".join([*counted, *([f"not graded: {failed}"] if failed else [])])


def _learner(learner: Learner) -> str:
    counted = learner.counted
    total = f"{learner.points:g} of {learner.of} points {_bar(learner.points, learner.of)}"
    files = "".join(_report(one, one in counted) for one in learner.reports)
    return f"<h1>{html.escape(learner.name)}</h1><p>{total}</p>{files}"


def _report(report: Report, counts: bool) -> str:
    head = f"<h2>{html.escape(report.file)}</h2>\n"
    if not report.graded:
        return head + page.paragraph(f"Not graded: {report.problem}")
    points = f"{report.points:g} of {report.of} points"
    aside = "" if counts else " Another file about this chapter counts."
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in report.notes)
    listed = f'<p class="quiet">What happened on the way:</p><ul>{notes}</ul>' if notes else ""
    exercises = "\n".join(_exercise(one) for one in report.verdicts)
    return f"{head}<p>{points}.{aside}</p>\n{exercises}\n{listed}"


def _exercise(verdict: Verdict) -> str:
    title = f"{verdict.key} {find(verdict.key).title}"
    mark = f'<span aria-hidden="true">{MARKS[verdict.verdict]}</span>'
    points = f"{mark} {verdict.verdict}, {verdict.points:g} of {verdict.of} points"
    inside = "".join(_parts(verdict))
    kind = verdict.verdict.replace(" ", "-")
    return f'<section class="{kind}"><h3>{html.escape(title)}</h3><p>{points}</p>{inside}</section>'


def _parts(verdict: Verdict) -> Iterator[str]:
    yield f"<p>{page.inline(verdict.message)}</p>"
    known = MISUNDERSTANDINGS.get(verdict.misconception)
    if known is not None:
        yield f"<p>Many believe: <i>{page.inline(known.believed)}</i> {page.inline(known.so)}</p>"
    if verdict.evidence:
        seen = [f"<li>{page.inline(str(one))}</li>" for one in verdict.evidence[:SHOWN]]
        yield f'<ul class="quiet">{"".join(seen)}</ul>'
    if verdict.hint:
        yield f"<details><summary>Next hint</summary><p>{page.inline(verdict.hint)}</p></details>"


def _bar(points: float, of: int) -> str:
    return f'<progress max="{of or 1}" value="{points:g}" aria-hidden="true"></progress>'
