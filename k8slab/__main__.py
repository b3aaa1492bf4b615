"""`python -m k8slab`: the commands of the package.

    python -m k8slab grade PATH...    grade notebooks of the course, of one learner or a class
    python -m k8slab serve            serve a cluster to kubectl and other clients
    python -m k8slab version          say which k8slab this is

Rule of use: a command's module is loaded when the command is given.

Upstream: none
"""

from __future__ import annotations

import argparse
import sys

import k8slab


def main(arguments: list[str]) -> int:
    """Carry out one command and return its exit status; without one, list them."""
    parser = argparse.ArgumentParser(
        prog="python -m k8slab", description=k8slab.__doc__.split("\n")[0]
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    grade = commands.add_parser("grade", help="grade notebooks of the course")
    serve = commands.add_parser("serve", help="serve a cluster to kubectl and other clients")
    commands.add_parser("version", help="say which k8slab this is")
    if arguments[:1] == ["grade"]:
        from k8slab.classroom.grading import command

        command.add_arguments(grade)
        return command.run(parser.parse_args(arguments))
    if arguments[:1] == ["serve"]:
        from k8slab.cluster import serve_command

        serve_command.add_arguments(serve)
        return serve_command.run(parser.parse_args(arguments))
    if parser.parse_args(arguments).command == "version":
        print(f"k8slab {k8slab.__version__}")
        return 0
    parser.print_help()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
