"""What kubectl knows of the server and of itself: api-resources, api-versions, version, config.

Rule of use: kinds are those that discovery names.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/{apiresources,version,clusterinfo,config}
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from k8slab.api.yaml_text import dump
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.generators import split_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.printers import to_json
from k8slab.kubectl.raw import discovered
from k8slab.kubectl.resources import list_objects
from k8slab.kubectl.tabwriter import TABLE, lines

VERSION, KUSTOMIZE = "v1.37.0", "v5.8.1"
PORT = 6443  # --secure-port


async def api_resources(call: Invocation) -> None:
    """Print the kinds that the server has."""
    flags = call.flags
    _no_words(call)
    if flags.text("sort-by") not in ("", "name", "kind"):
        raise CommandError("--sort-by accepts only name or kind")
    if flags.text("output") not in ("", "name", "wide", "json", "yaml", "kyaml"):
        raise CommandError(
            f'unable to match a printer suitable for the output format "{flags.text("output")}", '
            "allowed formats are: json,kyaml,name,wide,yaml"
        )
    kinds = [kind for kind in await _served(call) if _asked(call, kind)]
    by = {"kind": ("kind",), "name": ("resource",)}.get(flags.text("sort-by"))
    kinds.sort(key=itemgetter(*by or ("group", "resource")))
    if flags.text("output") == "name":
        for kind in kinds:
            group = f".{kind['group']}" if kind["group"] else ""
            call.print(f"{kind['resource']}{group}")
        return
    wide = flags.text("output") == "wide"
    rows = [_headings(wide)] if not flags.on("no-headers") else []
    rows += [_row(kind, wide) for kind in kinds]
    call.print(lines("".join("\t".join(row) + "\n" for row in rows), TABLE), end="")


def _no_words(call: Invocation) -> None:
    if call.words:
        raise CommandError(
            f"unexpected arguments: [{' '.join(call.words)}]\n"
            f"See 'kubectl {call.path} -h' for help and examples"
        )


async def _served(call: Invocation) -> list[dict[str, Any]]:
    """Return what discovery says of each resource, in the best version that has it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in await discovered(call):
        group = item["metadata"].get("name", "")
        for version in item["versions"]:
            for resource in version["resources"]:
                kind = resource["responseKind"]["kind"]
                named = {**resource, "group": group, "version": version["version"], "kind": kind}
                found.setdefault((group, resource["resource"]), named)
    return list(found.values())


def _asked(call: Invocation, kind: dict[str, Any]) -> bool:
    flags = call.flags
    if flags.given("namespaced") and flags.on("namespaced") != (kind["scope"] == "Namespaced"):
        return False
    wanted = [flags.text("categories")] if flags.text("categories") else []
    if not set(wanted) <= set(kind.get("categories", ())):
        return False
    if not set(split_all(flags.all("verbs"))) <= set(kind["verbs"]):
        return False
    return not flags.given("api-group") or flags.text("api-group") == kind["group"]


def _headings(wide: bool) -> list[str]:
    plain = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    return [*plain, "VERBS", "CATEGORIES"] if wide else plain


def _row(kind: dict[str, Any], wide: bool) -> list[str]:
    row = [
        kind["resource"],
        ",".join(kind.get("shortNames", ())),
        "/".join(part for part in (kind["group"], kind["version"]) if part),
        "true" if kind["scope"] == "Namespaced" else "false",
        kind["kind"],
    ]
    more = [",".join(kind["verbs"]), ",".join(kind.get("categories", ()))]
    return [*row, *more] if wide else row


async def api_versions(call: Invocation) -> None:
    """Print the groups and versions that the server has."""
    _no_words(call)
    found = sorted(
        "/".join(part for part in (item["metadata"].get("name"), version["version"]) if part)
        for item in await discovered(call)
        for version in item["versions"]
    )
    call.print("".join(f"{version}\n" for version in found), end="")


async def version(call: Invocation) -> None:
    """Print the version of kubectl, and that of the server if it answers."""
    client = {"gitVersion": VERSION, "major": "1", "minor": "37"}
    data: dict[str, object] = {"clientVersion": client, "kustomizeVersion": KUSTOMIZE}
    server = not call.flags.on("client")
    if server:
        await list_objects(call, "Namespace")
        data["serverVersion"] = client
    output = call.flags.text("output")
    if output in ("json", "yaml"):
        return call.print(to_json(data) if output == "json" else dump(data), end="")
    if output:
        raise CommandError("--output must be 'yaml' or 'json'")
    call.print(f"Client Version: {VERSION}\nKustomize Version: {KUSTOMIZE}")
    if server:
        call.print(f"Server Version: {VERSION}")


async def cluster_info(call: Invocation) -> None:
    """Print where the control plane and the cluster's own Services are."""
    root = await address_of_server(call)
    call.print(f"Kubernetes control plane is running at {root}")
    services = await list_objects(
        call, "Service", "kube-system", labels="kubernetes.io/cluster-service=true"
    )
    for service in services:
        meta = service.metadata
        name = meta.labels.get("kubernetes.io/name", meta.name)
        port = service.spec.ports[0].name if service.spec.ports else ""
        named = f"{meta.name}:{port}" if port else meta.name
        path = f"/api/v1/namespaces/{meta.namespace}/services/{named}/proxy"
        call.print(f"{name} is running at {root}{path}")
    call.print("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.")


async def address_of_server(call: Invocation) -> str:
    """Return the URL of the API server; CommandError if its Service leads nowhere."""
    slices = await list_objects(call, "EndpointSlice", "default", fields="metadata.name=kubernetes")
    for piece in slices:
        for endpoint in piece.endpoints:
            port = piece.ports[0].port if piece.ports else PORT
            return f"https://{endpoint.addresses[0]}:{port}"
    raise CommandError("the Service default/kubernetes has no endpoints")


COMMANDS = {
    "api-resources": Command(
        api_resources,
        (
            Flag("output", "o"),
            Flag("api-group"),
            Flag("categories"),
            Flag("sort-by"),
            Flag("verbs", kind="list"),
            flag_on("namespaced", default="true"),
            flag_on("no-headers"),
            flag_on("cached"),
        ),
    ),
    "api-versions": Command(api_versions),
    "version": Command(version, (Flag("output", "o"), flag_on("client"))),
    "cluster-info": Command(cluster_info),
}
