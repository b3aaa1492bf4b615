"""`python -m k8slab serve`: a cluster for a shell, as kind or minikube give one.

    python -m k8slab serve --manifests web.yaml

Prints the lines that another shell needs to find it, and serves until it is interrupted or told
to end.

Rule of use: `add_arguments` to a parser, `run` with what it parsed.

Upstream: none (kind create cluster)
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import threading
from pathlib import Path

FOR_KUBECTL = ("KUBECONFIG", "KUBECACHEDIR")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command understands."""
    parser.add_argument(
        "--manifests", metavar="FILE", nargs="*", default=[], help="apply these first"
    )
    parser.add_argument(
        "--speed", type=speed, default=1.0, metavar="1x|10x|max", help="of virtual time"
    )
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0: any that is free")
    parser.add_argument("--workers", type=int, default=3, help="machines beside the control plane")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same cluster")


def speed(text: str) -> float:
    """Return how many virtual seconds a second has.

    >>> speed("10x"), speed("0.5"), speed("max")
    (10.0, 0.5, inf)
    """
    if text == "max":
        return math.inf
    number = float(text.removesuffix("x"))
    if not number > 0:
        raise argparse.ArgumentTypeError(f"expected a speed such as 1x, 10x or max, got {text}")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status."""
    from k8slab.cluster.cluster import Cluster

    texts = []
    for name in arguments.manifests:
        try:
            texts.append(Path(name).read_text(encoding="utf-8"))
        except OSError as error:
            print(f"error: {name}: {error.strerror}", file=sys.stderr)
            return 1
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    cluster = Cluster(arguments.workers, arguments.seed)
    for text in texts:
        print(cluster.apply(text), end="", file=sys.stderr)
    cluster.forget_past()
    serving = cluster.serve(arguments.port, speed=arguments.speed)
    try:
        with serving as url:
            for name in FOR_KUBECTL:
                print(f"export {name}={serving.environment[name]}")
            print(f"# {url}", flush=True)
            ended.wait()
    except OSError as error:
        print(f"error: port {arguments.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0
