"""Specs as the API server writes them into its messages: its own Go structs, as JSON.

Some messages quote a whole spec, or the lines in which two specs differ. Those specs have the field
names and the order of the server's internal types, and every field, also the empty ones.

Rule of use: `quoted` is for field errors, `diff` makes the lines that differ. Types that are not
in `FIELDS` keep their own fields, in their own order.

Upstream: pkg/apis/core/types.go, staging/src/k8s.io/apimachinery/pkg/util/diff/diff.go
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from k8slab.api import core
from k8slab.api.apps import DaemonSetUpdateStrategy, DeploymentStrategy, StatefulSetUpdateStrategy
from k8slab.api.meta import LabelSelector, ObjectMeta

_CONTAINER = (
    "Name Image Command Args WorkingDir Ports EnvFrom Env Resources ResizePolicy RestartPolicy "
    "RestartPolicyRules VolumeMounts VolumeDevices LivenessProbe ReadinessProbe StartupProbe "
    "Lifecycle TerminationMessagePath TerminationMessagePolicy ImagePullPolicy SecurityContext "
    "Stdin StdinOnce TTY"
)
# The fields of internal types, in their order; of our names only the case differs.
FIELDS: Mapping[type, str] = {
    core.PodSpec: "Volumes InitContainers Containers EphemeralContainers RestartPolicy "
    "TerminationGracePeriodSeconds ActiveDeadlineSeconds DNSPolicy NodeSelector ServiceAccountName "
    "AutomountServiceAccountToken NodeName SecurityContext ImagePullSecrets Hostname Subdomain "
    "SetHostnameAsFQDN Affinity SchedulerName Tolerations HostAliases PriorityClassName Priority "
    "PreemptionPolicy DNSConfig ReadinessGates RuntimeClassName Overhead EnableServiceLinks "
    "TopologySpreadConstraints OS SchedulingGates ResourceClaims Resources HostnameOverride "
    "SchedulingGroup",
    core.Container: _CONTAINER,
    core.EphemeralContainer: f"{_CONTAINER} TargetContainerName",
    core.ContainerPort: "Name HostPort ContainerPort Protocol HostIP",
    core.EnvFromSource: "Prefix ConfigMapRef SecretRef",
    core.EnvVar: "Name Value ValueFrom",
    core.EnvVarSource: "FieldRef ResourceFieldRef ConfigMapKeyRef SecretKeyRef FileKeyRef",
    core.ObjectFieldSelector: "APIVersion FieldPath",
    core.ResourceFieldSelector: "ContainerName Resource Divisor",
    core.ResourceRequirements: "Limits Requests Claims",
    core.VolumeMount: "Name ReadOnly RecursiveReadOnly MountPath SubPath MountPropagation "
    "SubPathExpr",
    core.Probe: "Exec HTTPGet TCPSocket GRPC InitialDelaySeconds TimeoutSeconds PeriodSeconds "
    "SuccessThreshold FailureThreshold TerminationGracePeriodSeconds",
    core.Lifecycle: "PostStart PreStop StopSignal",
    core.LifecycleHandler: "Exec HTTPGet TCPSocket Sleep",
    core.ExecAction: "Command",
    core.HTTPGetAction: "Path Port Host Scheme HTTPHeaders",
    core.TCPSocketAction: "Port Host",
    core.GRPCAction: "Port Service",
    core.SecurityContext: "Capabilities Privileged SELinuxOptions WindowsOptions RunAsUser "
    "RunAsGroup RunAsNonRoot ReadOnlyRootFilesystem AllowPrivilegeEscalation ProcMount "
    "SeccompProfile AppArmorProfile",
    core.PodSecurityContext: "SELinuxOptions WindowsOptions RunAsUser RunAsGroup RunAsNonRoot "
    "SupplementalGroups SupplementalGroupsPolicy FSGroup FSGroupChangePolicy Sysctls "
    "SeccompProfile AppArmorProfile SELinuxChangePolicy",
    core.SeccompProfile: "Type LocalhostProfile",
    core.AppArmorProfile: "Type LocalhostProfile",
    core.Volume: "Name HostPath EmptyDir GCEPersistentDisk AWSElasticBlockStore GitRepo Secret NFS "
    "ISCSI Glusterfs PersistentVolumeClaim RBD Quobyte FlexVolume Cinder CephFS Flocker "
    "DownwardAPI FC AzureFile ConfigMap VsphereVolume AzureDisk PhotonPersistentDisk Projected "
    "PortworxVolume ScaleIO StorageOS CSI Ephemeral Image",
    core.HostPathVolumeSource: "Path Type",
    core.EmptyDirVolumeSource: "Medium SizeLimit",
    core.SecretVolumeSource: "SecretName Items DefaultMode Optional",
    core.ConfigMapVolumeSource: "Name Items DefaultMode Optional",
    core.DownwardAPIVolumeSource: "Items DefaultMode",
    core.PersistentVolumeClaimVolumeSource: "ClaimName ReadOnly",
    core.NFSVolumeSource: "Server Path ReadOnly",
    core.KeyToPath: "Key Path Mode",
    core.ProjectedVolumeSource: "Sources DefaultMode",
    core.VolumeProjection: "Secret DownwardAPI ConfigMap ServiceAccountToken ClusterTrustBundle "
    "PodCertificate",
    core.SecretProjection: "Name Items Optional",
    core.ConfigMapProjection: "Name Items Optional",
    core.DownwardAPIProjection: "Items",
    core.DownwardAPIVolumeFile: "Path FieldRef ResourceFieldRef Mode",
    core.ServiceAccountTokenProjection: "Audience ExpirationSeconds Path",
    core.Toleration: "Key Operator Value Effect TolerationSeconds",
    core.Affinity: "NodeAffinity PodAffinity PodAntiAffinity",
    core.NodeAffinity: "RequiredDuringSchedulingIgnoredDuringExecution "
    "PreferredDuringSchedulingIgnoredDuringExecution",
    core.PodAffinity: "RequiredDuringSchedulingIgnoredDuringExecution "
    "PreferredDuringSchedulingIgnoredDuringExecution",
    core.PodAntiAffinity: "RequiredDuringSchedulingIgnoredDuringExecution "
    "PreferredDuringSchedulingIgnoredDuringExecution",
    core.PodAffinityTerm: "LabelSelector Namespaces TopologyKey NamespaceSelector MatchLabelKeys "
    "MismatchLabelKeys",
    core.WeightedPodAffinityTerm: "Weight PodAffinityTerm",
    core.PreferredSchedulingTerm: "Weight Preference",
    core.TopologySpreadConstraint: "MaxSkew TopologyKey WhenUnsatisfiable LabelSelector MinDomains "
    "NodeAffinityPolicy NodeTaintsPolicy MatchLabelKeys",
    core.PodDNSConfig: "Nameservers Searches Options",
    core.HostAlias: "IP Hostnames",
    core.Taint: "Key Value Effect TimeAdded",
    core.ServicePort: "Name Protocol AppProtocol Port TargetPort NodePort",
    DeploymentStrategy: "Type RollingUpdate",
    DaemonSetUpdateStrategy: "Type RollingUpdate",
    StatefulSetUpdateStrategy: "Type RollingUpdate",
}
# These the server keeps in the Pod's security context.
OF_THE_HOST = ("HostNetwork", "HostPID", "HostIPC", "ShareProcessNamespace", "HostUsers")


def plain(value: Any) -> Any:
    """Return a Struct as the data of the server's internal type.

    >>> plain(core.Toleration(key="a", operator="Exists"))["Operator"]
    'Exists'
    """
    if isinstance(value, LabelSelector | ObjectMeta):
        return msgspec.to_builtins(value, order="deterministic")
    if isinstance(value, core.PodTemplateSpec):
        return {**plain(value.metadata), "Spec": plain(value.spec)}
    if isinstance(value, msgspec.Struct):
        return _struct(value)
    if isinstance(value, tuple):
        return [plain(item) for item in value] or None
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in sorted(value)} or None
    return value


def quoted(value: Any) -> msgspec.Raw:
    """Return a Struct as a field error quotes it; plain data keeps its order."""
    return msgspec.Raw(msgspec.json.encode(plain(value)))


def diff(before: Any, after: Any) -> str:
    """Return the lines in which two Structs differ, with three lines around each."""
    import difflib

    lines = difflib.unified_diff(_lines(before), _lines(after), lineterm="")
    return "".join(f"{line}\n" for line in list(lines)[2:])


def _lines(value: Any) -> list[str]:
    return json.dumps(plain(value), indent=1, ensure_ascii=False).split("\n")


def _struct(value: msgspec.Struct) -> dict[str, Any]:
    ours = {name.lower(): name for name in value.__struct_fields__}
    listed = FIELDS.get(type(value))
    names = listed.split() if listed else [n[:1].upper() + n[1:] for n in ours.values()]
    found = {name: plain(getattr(value, ours[name.lower()])) for name in names}
    if isinstance(value, core.PodSpec) and found["SecurityContext"] is not None:
        shared = {name: getattr(value, name[0].lower() + name[1:]) for name in OF_THE_HOST}
        found["SecurityContext"] = {**shared, **found["SecurityContext"]}
    return found
