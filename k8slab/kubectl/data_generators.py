"""`kubectl create configmap` and `create secret`: keys and values out of words and files.

    create configmap conf --from-literal=mode=prod --from-file=app.ini --from-env-file=.env
    create secret generic db --from-literal=password=hunter2
    create secret docker-registry pull --docker-username=ann --docker-password=hunter2
    create secret tls shop --cert=tls.crt --key=tls.key

Rule of use: a key must not come twice.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/create/create_{configmap,secret}*.go, pkg/util/hash
"""

from __future__ import annotations

import base64
import hashlib

import msgspec

from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.generators import SAFE, Plain, generator, one_name
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.printers import compact_json

DOCKER_CONFIG = ".dockerconfigjson"


def config_map(call: Invocation) -> Plain:
    """Return a ConfigMap of literals and files."""
    made: Plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": one_name(call)}}
    data = _data(call)
    return _hashed(call, {**made, "data": data} if data else made)


def generic_secret(call: Invocation) -> Plain:
    """Return a Secret of literals and files."""
    return _secret(call, _data(call), call.flags.text("type"))


def tls_secret(call: Invocation) -> Plain:
    """Return a Secret with a key and its certificate."""
    cert, key = call.flags.text("cert"), call.flags.text("key")
    if not cert or not key:
        raise CommandError("key and cert must be specified")
    data = {"tls.crt": _key_file(call, cert), "tls.key": _key_file(call, key)}
    return _secret(call, data, "kubernetes.io/tls")


def registry_secret(call: Invocation) -> Plain:
    """Return a Secret with which images are pulled from a registry."""
    flags = call.flags
    if flags.all("from-file"):
        _, equals, path = flags.all("from-file")[0].partition("=")
        text = _read(call, path if equals else flags.all("from-file")[0])
        return _secret(call, {DOCKER_CONFIG: text}, f"kubernetes.io/{DOCKER_CONFIG[1:]}")
    user, password = flags.text("docker-username"), flags.text("docker-password")
    server, email = flags.text("docker-server"), flags.text("docker-email")
    if not user or not password or not server:
        raise CommandError(
            "either --from-file or the combination of --docker-username, --docker-password and "
            "--docker-server is required"
        )
    entry: Plain = {"username": user, "password": password}
    if email:
        entry["email"] = email
    entry["auth"] = base64.b64encode(f"{user}:{password}".encode()).decode()
    text = msgspec.json.encode({"auths": {server: entry}}).decode()
    return _secret(call, {DOCKER_CONFIG: text}, f"kubernetes.io/{DOCKER_CONFIG[1:]}")


def _secret(call: Invocation, values: dict[str, str], kind: str) -> Plain:
    made: Plain = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": one_name(call)}}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    if data:
        made["data"] = data
    return _hashed(call, {**made, "type": kind} if kind else made)


def _hashed(call: Invocation, made: Plain) -> Plain:
    """Return the object with a hash of what it holds behind its name, if --append-hash is given."""
    if not call.flags.on("append-hash"):
        return made
    name = made["metadata"]["name"]
    known: Plain = {"data": made.get("data", {} if made["kind"] == "Secret" else ""), "name": name}
    known["kind"] = made["kind"]
    if made["kind"] == "Secret":
        known["type"] = made.get("type", "")
    text = hashlib.sha256(compact_json(known).encode()).hexdigest()
    return {**made, "metadata": {"name": f"{name}-{text[:10].translate(SAFE)}"}}


def _data(call: Invocation) -> dict[str, str]:
    data: dict[str, str] = {}
    for literal in call.flags.all("from-literal"):
        key, equals, value = literal.partition("=")
        if not equals or not key:
            raise CommandError(f"invalid literal source {literal}, expected key=value")
        _put(call, data, key, value.strip("'\""))
    for source in call.flags.all("from-file"):
        key, equals, path = source.partition("=")
        path = path if equals else key
        key = key if equals else path.rpartition("/")[2]
        _put(call, data, key, _read(call, path))
    for path in call.flags.all("from-env-file"):
        for line in _read(call, path).splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                key, _, value = line.strip().partition("=")
                _put(call, data, key, value)
    return data


def _put(call: Invocation, data: dict[str, str], key: str, value: str) -> None:
    if key in data:
        kind = "ConfigMap" if "configmap" in call.path or call.path.endswith("cm") else "Secret"
        raise CommandError(
            f'cannot add key "{key}", another key by that name already exists in Data for {kind} '
            f'"{one_name(call)}"'
        )
    data[key] = value


def _key_file(call: Invocation, path: str) -> str:
    try:
        return call.around.read_file(path)
    except OSError:
        problem = f"open {path}: no such file or directory"
        raise CommandError(f"Cannot read file {path}, {problem}") from None


def _read(call: Invocation, path: str) -> str:
    try:
        return call.around.read_file(path)
    except OSError:
        raise CommandError(f"error reading {path}: no such file or directory") from None


_HASH = flag_on("append-hash")
_DATA = (
    Flag("from-literal", kind="list"),
    Flag("from-file", kind="list"),
    Flag("from-env-file", kind="list"),
    _HASH,
)
COMMANDS: dict[str, Command] = {
    "configmap": generator(config_map, *_DATA),
    "secret generic": generator(generic_secret, *_DATA, Flag("type")),
    "secret tls": generator(tls_secret, Flag("cert"), Flag("key"), _HASH),
    "secret docker-registry": generator(
        registry_secret,
        Flag("docker-username"),
        Flag("docker-password"),
        Flag("docker-email"),
        Flag("docker-server", default="https://index.docker.io/v1/"),
        Flag("from-file", kind="list"),
        _HASH,
    ),
}
