"""What `kubectl help` says: which commands there are, and which flags one has.

`kubectl`, a group such as `kubectl rollout` and a command with --help are told of in kubectl's
form; the manual pages are upstream's, and here each command has one line.

Rule of use: `help_text(path)`; "" is kubectl itself.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/cmd.go, pkg/util/templates
"""

from __future__ import annotations

from collections.abc import Mapping

SUMMARIES: Mapping[str, str] = {
    "create": "Create a resource from a file or from stdin",
    "expose": "Take a replication controller, service, deployment or pod and expose it as a new "
    "Kubernetes service",
    "run": "Run a particular image on the cluster",
    "set": "Set specific features on objects",
    "explain": "Get documentation for a resource",
    "get": "Display one or many resources",
    "edit": "Edit a resource on the server",
    "delete": "Delete resources by file names, stdin, resources and names, or by resources and "
    "label selector",
    "rollout": "Manage the rollout of a resource",
    "scale": "Set a new size for a deployment, replica set, or replication controller",
    "autoscale": "Auto-scale a deployment, replica set, stateful set, or replication controller",
    "cluster-info": "Display cluster information",
    "top": "Display resource (CPU/memory) usage",
    "cordon": "Mark node as unschedulable",
    "uncordon": "Mark node as schedulable",
    "drain": "Drain node in preparation for maintenance",
    "taint": "Update the taints on one or more nodes",
    "describe": "Show details of a specific resource or group of resources",
    "logs": "Print the logs for a container in a pod",
    "attach": "Attach to a running container",
    "exec": "Execute a command in a container",
    "auth": "Inspect authorization",
    "debug": "Create debugging sessions for troubleshooting workloads and nodes",
    "events": "List events",
    "diff": "Diff the live version against a would-be applied version",
    "apply": "Apply a configuration to a resource by file name or stdin",
    "patch": "Update fields of a resource",
    "replace": "Replace a resource by file name or stdin",
    "wait": "Wait for a specific condition on one or many resources",
    "label": "Update the labels on a resource",
    "annotate": "Update the annotations on a resource",
    "api-resources": "Print the supported API resources on the server",
    "api-versions": "Print the supported API versions on the server, in the form of "
    '"group/version"',
    "config": "Modify kubeconfig files",
    "version": "Print the client and server version information",
    "create secret": "Create a secret using a specified subcommand",
    "create secret docker-registry": "Create a secret for use with a Docker registry",
    "create secret generic": "Create a secret from a local file, directory, or literal value",
    "create secret tls": "Create a TLS secret",
    "create service": "Create a service using a specified subcommand",
    "create service clusterip": "Create a ClusterIP service",
    "create service externalname": "Create an ExternalName service",
    "create service loadbalancer": "Create a LoadBalancer service",
    "create service nodeport": "Create a NodePort service",
    "set env": "Update environment variables on a pod template",
    "set image": "Update the image of a pod template",
    "set resources": "Update resource requests/limits on objects with pod templates",
    "set selector": "Set the selector on a resource",
    "set serviceaccount": "Update the service account of a resource",
    "set subject": "Update the user, group, or service account in a role binding or cluster role "
    "binding",
    "rollout history": "View rollout history",
    "rollout pause": "Mark the provided resource as paused",
    "rollout restart": "Restart a resource",
    "rollout resume": "Resume a paused resource",
    "rollout status": "Show the status of the rollout",
    "rollout undo": "Undo a previous rollout",
    "auth can-i": "Check whether an action is allowed",
    "auth reconcile": "Reconciles rules for RBAC role, role binding, cluster role, and cluster "
    "role binding objects",
    "auth whoami": "Experimental: Check self subject attributes",
    "top node": "Display resource (CPU/memory) usage of nodes",
    "top pod": "Display resource (CPU/memory) usage of pods",
    "config current-context": "Display the current-context",
    "config get-contexts": "Describe one or many contexts",
    "config set-context": "Set a context entry in kubeconfig",
    "config use-context": "Set the current-context in a kubeconfig file",
    "config view": "Display merged kubeconfig settings or a specified kubeconfig file",
    "apply set-last-applied": "Set the last-applied-configuration annotation on a live object to "
    "match the contents of a file",
    "apply view-last-applied": "View the latest last-applied-configuration annotations of a "
    "resource/object",
}
SECTIONS: Mapping[str, str] = {
    "Basic Commands (Beginner)": "create expose run set",
    "Basic Commands (Intermediate)": "explain get edit delete",
    "Deploy Commands": "rollout scale autoscale",
    "Cluster Management Commands": "cluster-info top cordon uncordon drain taint",
    "Troubleshooting and Debugging Commands": "describe logs attach exec auth debug events",
    "Advanced Commands": "diff apply patch replace wait",
    "Settings Commands": "label annotate",
    "Other Commands": "api-resources api-versions config version",
}
USAGES: Mapping[str, str] = {
    "set": "SUBCOMMAND",
    "rollout": "SUBCOMMAND",
    "config": "SUBCOMMAND",
    "create secret": "(docker-registry | generic | tls)",
}
ALIASES: Mapping[str, str] = {"create service": "service, svc"}
MORE = 'Use "kubectl {}<command> --help" for more information about a given command.\n'
OPTIONS = (
    'Use "kubectl options" for a list of global command-line options (applies to all commands).\n'
)
NAME_WIDTH = 11  # at least, of a column of names


def help_text(path: str) -> str:
    """Return which commands there are, in all or in a group, or the flags of one."""
    from k8slab.kubectl.commands import CANONICAL, COMMANDS, GROUPS

    if not path:
        return _kubectl()
    below = [
        name
        for name in (*COMMANDS, *GROUPS)
        if name.startswith(f"{path} ") and " " not in name.removeprefix(f"{path} ")
    ]
    names = sorted(name for name in below if name not in CANONICAL and name != "create svc")
    parts = [f"{SUMMARIES.get(path, path.capitalize())}.\n"]
    if path in ALIASES:
        parts.append(f"Aliases:\n{ALIASES[path]}\n")
    if names:
        parts.append("Available Commands:\n" + _rows(names, len(path) + 1))
    if path in COMMANDS:
        flags = [_flag(flag.short, flag.name) for flag in COMMANDS[path].flags]
        parts.append("Options:\n" + "".join(f"    {flag}\n" for flag in sorted(flags)))
    parts.append(f"Usage:\n  kubectl {path} {USAGES.get(path, '[flags]')} [options]\n")
    parts.append((MORE.format(f"{path} ") if names else "") + OPTIONS)
    return "\n".join(parts)


def _kubectl() -> str:
    parts = ["kubectl controls the Kubernetes cluster manager.\n"]
    parts.append(" Find more information at: https://kubernetes.io/docs/reference/kubectl/\n")
    width = max(len(name) for names in SECTIONS.values() for name in names.split())
    parts += [f"{title}:\n{_rows(names.split(), 0, width)}" for title, names in SECTIONS.items()]
    parts.append("Usage:\n  kubectl [flags] [options]\n")
    parts.append(MORE.format("") + OPTIONS)
    return "\n".join(parts)


def _rows(paths: list[str], start: int, width: int = NAME_WIDTH) -> str:
    """Return a line for each command; names begin at `start` of their path."""
    width = max(width, *(len(path) - start for path in paths))
    return "".join(
        f"  {path[start:].ljust(width)}   {SUMMARIES.get(path, '')}".rstrip() + "\n"
        for path in paths
    )


def _flag(short: str, name: str) -> str:
    return f"-{short}, --{name}" if short else f"--{name}"
