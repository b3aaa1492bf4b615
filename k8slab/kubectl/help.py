"""What `kubectl help` says: which commands there are.

Rule of use: the full manual is upstream's; this names what the lab can do.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/cmd.go
"""

from __future__ import annotations

HELP = """\
kubectl controls the Kubernetes cluster manager.

Basic Commands (Beginner):
  create          Create a resource from a file or from stdin
  expose          Take a replication controller, service, deployment or pod and expose it as a new \
Kubernetes service
  run             Run a particular image on the cluster
  set             Set specific features on objects

Basic Commands (Intermediate):
  explain         Get documentation for a resource
  get             Display one or many resources
  delete          Delete resources by file names, stdin, resources and names, or by resources and \
label selector

Deploy Commands:
  rollout         Manage the rollout of a resource
  scale           Set a new size for a deployment, replica set, or replication controller
  autoscale       Auto-scale a deployment, replica set, stateful set, or replication controller

Cluster Management Commands:
  cluster-info    Display cluster information
  cordon          Mark node as unschedulable
  uncordon        Mark node as schedulable
  drain           Drain node in preparation for maintenance
  taint           Update the taints on one or more nodes

Troubleshooting and Debugging Commands:
  describe        Show details of a specific resource or group of resources
  logs            Print the logs for a container in a pod
  exec            Execute a command in a container
  auth            Inspect authorization
  events          List events

Advanced Commands:
  apply           Apply a configuration to a resource by file name or stdin
  patch           Update fields of a resource
  replace         Replace a resource by file name or stdin
  wait            Wait for a specific condition on one or many resources

Settings Commands:
  label           Update the labels on a resource
  annotate        Update the annotations on a resource

Other Commands:
  api-resources   Print the supported API resources on the server
  api-versions    Print the supported API versions on the server, in the form of "group/version"
  config          Modify kubeconfig files
  version         Print the client and server version information

Usage:
  kubectl [flags] [options]
"""


def group_help(path: str) -> str:
    """Return which commands there are below a group, or how a command is used."""
    from k8slab.kubectl.commands import COMMANDS

    below = [name for name in COMMANDS if name.startswith(f"{path} ")]
    if not below:
        flags = COMMANDS[path].flags
        names = "".join(f"    {_flag(flag.short, flag.name)}\n" for flag in flags)
        return f"Usage:\n  kubectl {path} [flags] [options]\n\nOptions:\n{names}"
    names = "".join(f"  {name.removeprefix(path + ' ')}\n" for name in below)
    return f"Available Commands:\n{names}\nUsage:\n  kubectl {path} [flags] [options]\n"


def _flag(short: str, name: str) -> str:
    return f"-{short}, --{name}" if short else f"--{name}"
