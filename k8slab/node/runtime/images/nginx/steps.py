"""The rewrite phase: return, rewrite, set, break and `if`, one after the other as they stand.

Rule of use: `run` changes the visit (path, variables, the block that holds) and says what follows:
an answer, another look for a location, or the content of this one.

Upstream: nginx src/http/modules/ngx_http_rewrite_module.c
"""

from __future__ import annotations

from k8slab.node import http
from k8slab.node.runtime.images.nginx.config import Block, search
from k8slab.node.runtime.images.nginx.pages import REDIRECTS, error_page, redirect
from k8slab.node.runtime.images.nginx.syntax import Directive
from k8slab.node.runtime.images.nginx.visit import Visit

AGAIN, CONTENT = "look for a location again", "go on to the content"
Outcome = http.Response | str


def run(visit: Visit, block: Block) -> Outcome:
    """Do the block's steps."""
    changed = False
    for each in block.own:
        if each.name == "break":
            return CONTENT
        if each.name == "return":
            return returned(visit, each)
        if each.name == "set":
            visit.set[each.args[0].lstrip("$")] = visit.expand(each.args[1])
        elif each.name == "if" and _holds(visit, each.args):
            inner = block.inner(each.block or ())
            if any(found.name == "proxy_pass" for found in inner.own) or not _passes(block):
                visit.block = inner
            else:
                visit.block = inner.inner((*inner.own, *_passes(block)))
            outcome = run(visit, inner)
            if outcome != CONTENT:
                return outcome
        elif each.name == "rewrite":
            rewritten = _rewrite(visit, each)
            if rewritten:
                return rewritten
            changed = changed or rewritten is not None
    return AGAIN if changed else CONTENT


def _passes(block: Block) -> tuple[Directive, ...]:
    return tuple(found for found in block.own if found.name == "proxy_pass")


def _rewrite(visit: Visit, line: Directive) -> Outcome | None:
    """Return None if the pattern does not match, "" if the path is another one now."""
    pattern, replacement, *flags = line.args
    found = search(pattern, visit.path)
    if found is None:
        return None
    visit.captures = tuple(group or "" for group in found.groups())
    flag = flags[0] if flags else ""
    to = visit.expand(replacement)
    if replacement.startswith(("http://", "https://", "$scheme")):
        return redirect(301 if flag == "permanent" else 302, to)
    path, question, args = to.partition("?")
    visit.path = path
    if question:
        visit.args = "&".join(filter(None, (args, visit.args)))
    if flag in ("permanent", "redirect"):
        query = f"?{visit.args}" if visit.args else ""
        return redirect(301 if flag == "permanent" else 302, _whole(visit, f"{path}{query}"))
    if flag == "break":
        return CONTENT
    return AGAIN if flag == "last" else ""


def returned(visit: Visit, line: Directive) -> http.Response:
    """Return what `return` asks for: a code, a code with a text, or a place to go to."""
    first, *rest = line.args
    if not first.isdigit():
        return redirect(302, visit.expand(first))
    status = int(first)
    if not rest:
        return http.Response(0) if status == 444 else error_page(status)
    text = visit.expand(rest[0])
    if status in REDIRECTS:
        return redirect(status, _whole(visit, text) if text.startswith("/") else text)
    kind = visit.block.one("default_type", "text/plain")
    return http.Response(status, text.encode(), {"Content-Type": kind})


def _whole(visit: Visit, path: str) -> str:
    """Make an address of a path."""
    host = visit.request.header("Host")
    return f"{visit.value('scheme')}://{host}{path}" if host else path


def _holds(visit: Visit, words: tuple[str, ...]) -> bool:
    """Say whether the condition of an `if` is true."""
    condition = " ".join(words).strip()
    condition = condition.removeprefix("(").removesuffix(")").strip()
    parts = condition.split(None, 2)
    if parts[0].lstrip("!") in ("-f", "-d", "-e") and len(parts) > 1:
        there = visit.process.exists(visit.expand(parts[1]))
        return there != parts[0].startswith("!")
    left = visit.expand(parts[0])
    if len(parts) < 3:
        return left not in ("", "0")
    operator, right = parts[1], parts[2].strip("\"'")
    if operator in ("=", "!="):
        return (left == visit.expand(right)) == (operator == "=")
    found = search(right, left, ignore_case=operator.endswith("*"))
    if found is not None:
        visit.captures = tuple(group or "" for group in found.groups())
        visit.set |= {name: value or "" for name, value in found.groupdict().items()}
    return (found is not None) != operator.startswith("!")
