"""`kubectl get`: objects as tables or as they are, now and, with -w, as they change.

A table is asked of the API server as a Table; every other form prints the objects themselves. With
--watch each change is a further line, until the time for watching is over.

Rule of use: `get` is the command; `table_of` is also what others print after a change.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/get/get.go
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.api.duration import age
from k8slab.api.meta import Object
from k8slab.api.table import Table, TableColumnDefinition, TableRow
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError, Exit, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES, objects_in
from k8slab.kubectl.printers import PRINT, Print, list_of, plain, printer_for
from k8slab.kubectl.raw import raw
from k8slab.kubectl.resources import SELECTORS, Finder, Found, Selection, kind_of, selections
from k8slab.kubectl.sorting import order_by, sort_rows
from k8slab.kubectl.tables import look_of, render
from k8slab.kubectl.watching import watch

NOTHING_ASKED = """\
You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of \
supported resources.

error: Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain \
pods).
See 'kubectl get -h' for help and examples
"""


NAME_AND_AGE = (
    TableColumnDefinition(name="Name", format="name"),
    TableColumnDefinition(name="Age"),
)


async def get(call: Invocation) -> None:
    """Print the objects that the words mean."""
    if call.flags.given("raw"):
        if call.words or call.flags.all("filename"):
            raise CommandError("arguments may not be passed when --raw is specified")
        return await raw(call)
    watches = call.flags.on("watch") or call.flags.on("watch-only")
    if call.flags.on("output-watch-events") and not watches:
        raise CommandError(
            "--output-watch-events option can only be used with --watch or --watch-only"
        )
    finder = Finder(call)
    wanted = _wanted(call, finder)
    if call.flags.text("subresource") and any(selection.names is None for selection in wanted):
        raise CommandError("subresource cannot be used when bulk resources are specified")
    write = _writer(call)
    if watches:
        return await watch(call, wanted, write)
    if write is not None or call.flags.text("output") == "name":
        await _print_objects(call, finder, wanted, write)
    else:
        await _print_tables(call, finder, wanted)
    raise_all(finder.errors)


def _wanted(call: Invocation, finder: Finder) -> list[Selection]:
    if call.flags.all("filename"):
        found = list(objects_in(call))
        finder.errors += [item for item in found if isinstance(item, Exception)]
        objects = [item for item in found if isinstance(item, Found)]
        return [Selection(item.resource, (item.name,)) for item in objects]
    if not call.words:
        raise Exit(NOTHING_ASKED)
    return finder.check(selections(call.words, call.custom))


def _part(call: Invocation) -> dict[str, str]:
    """Return which part of the objects is asked for, if not all of them."""
    part = call.flags.text("subresource")
    return {"subresource": part} if part else {}


def _writer(call: Invocation) -> Print | None:
    if call.flags.text("output") == "name":
        return None
    return printer_for(call)


async def _print_tables(call: Invocation, finder: Finder, wanted: list[Selection]) -> None:
    """Print one table for each kind, with a blank line between them."""
    printed = 0
    order = call.flags.text("sort-by")
    options = (("includeObject", "Object"),) if order else ()
    kinds = len({selection.resource.group_resource for selection in wanted})
    as_table = call.flags.on("server-print")
    for selection in _merged(wanted):
        answers = await finder.ask(selection, as_table=as_table, options=options, **_part(call))
        table = merged([_as_table(call, answer) for answer in answers])
        if table is None or not table.rows:
            continue
        if order:
            table = sort_rows(table, order)
            if table is None:
                continue
        if printed and not call.flags.on("no-headers"):
            call.print()
        call.print(render(table, look_of(call.flags, selection.resource, kinds)), end="")
        printed += 1
    if not printed and not finder.errors and not call.flags.on("ignore-not-found"):
        say_nothing_found(call, wanted)


def _as_table(call: Invocation, answer: Any) -> Table:
    """Return an answer that is no table (a Scale, a list) as one: names and ages."""
    if isinstance(answer, Table):
        return answer
    rows = tuple(
        TableRow(
            cells=(obj.metadata.name, age(obj.metadata.creationTimestamp, call.now)), object=obj
        )
        for obj in getattr(answer, "items", (answer,))
    )
    return Table(columnDefinitions=NAME_AND_AGE, rows=rows)


def say_nothing_found(call: Invocation, wanted: list[Selection]) -> None:
    """Say that there is nothing, and where."""
    namespaced = any(selection.resource.namespaced for selection in wanted)
    if call.flags.on("all-namespaces") or not namespaced:
        call.say("No resources found")
    else:
        call.say(f"No resources found in {call.namespace} namespace.")


def merged(tables: list[Table]) -> Table | None:
    """Return the rows of several tables as one."""
    if len(tables) < 2:
        return tables[0] if tables else None
    return replace(tables[0], rows=tuple(row for table in tables for row in table.rows))


def _merged(wanted: list[Selection]) -> list[Selection]:
    """Ask for neighbours of the same kind together, so that they share one table."""
    result: list[Selection] = []
    for selection in wanted:
        last = result[-1] if result else None
        if last is not None and last.resource is selection.resource and last.names:
            result[-1] = replace(last, names=(*last.names, *(selection.names or ())))
        else:
            result.append(selection)
    return result


async def _print_objects(
    call: Invocation, finder: Finder, wanted: list[Selection], write: Print | None
) -> None:
    """Print the objects themselves: one alone, or a List."""
    objects: list[tuple[Selection, Object]] = []
    for selection in wanted:
        for answer in await finder.ask(selection, **_part(call)):
            items = getattr(answer, "items", None)
            objects += [(selection, obj) for obj in ((answer,) if items is None else items)]
    if finder.errors and not objects:
        return
    if call.flags.text("sort-by"):
        order = order_by([plain(obj) for _, obj in objects], call.flags.text("sort-by"))
        objects = [objects[index] for index in order]
    if write is None:
        for selection, obj in objects:
            call.print(f"{kind_of(selection.resource)}/{obj.metadata.name}")
        return
    data = [plain(obj) for _, obj in objects]
    single = len(wanted) == 1 and wanted[0].names is not None and len(wanted[0].names) == 1
    if single and not data:
        return
    call.print(write(data[0] if single else list_of(data), True), end="")


GET = Command(
    get,
    (
        *SELECTORS,
        *FILES,
        *PRINT,
        flag_on("watch", "w"),
        flag_on("watch-only"),
        flag_on("output-watch-events"),
        flag_on("no-headers"),
        flag_on("show-labels"),
        flag_on("show-kind"),
        flag_on("ignore-not-found"),
        flag_on("server-print", default="true"),
        Flag("label-columns", "L", "list"),
        Flag("sort-by"),
        Flag("raw"),
        Flag("chunk-size", kind="int", default="500"),
        Flag("subresource"),
    ),
)
