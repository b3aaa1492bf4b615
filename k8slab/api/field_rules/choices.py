"""Which fields of the API's structs take one of a few words, as upstream's OpenAPI says it.

`CHOICES["apps.v1"]["DeploymentStrategy.type"]` has the words, sorted. A field whose every item is
one of them is written with "[]". Some fields that validation restricts have no such list upstream,
and so none here.

Upstream: the marker +enum in staging/src/k8s.io/api/*/*/types.go
"""

from __future__ import annotations

from collections.abc import Mapping

PROTOCOL = ("SCTP", "TCP", "UDP")
PULL_POLICY = ("Always", "IfNotPresent", "Never")
TERMINATION_MESSAGE_POLICY = ("FallbackToLogsOnError", "File")
PROFILE_TYPE = ("Localhost", "RuntimeDefault", "Unconfined")
TAINT_EFFECT = ("NoExecute", "NoSchedule", "PreferNoSchedule")
PREEMPTION_POLICY = ("Never", "PreemptLowerPriority")
TRAFFIC_POLICY = ("Cluster", "Local")
RECLAIM_POLICY = ("Delete", "Recycle", "Retain")
VOLUME_MODE = ("Block", "Filesystem")
ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
UPDATE_STRATEGY = ("OnDelete", "RollingUpdate")
NODE_INCLUSION = ("Honor", "Ignore")
QUOTA_SCOPES = (
    *("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating"),
    *("PriorityClass", "Terminating", "VolumeAttributesClass"),
)
_CONTAINER = {
    "imagePullPolicy": PULL_POLICY,
    "terminationMessagePolicy": TERMINATION_MESSAGE_POLICY,
}

CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "core.v1": {
        **{f"Container.{field}": words for field, words in _CONTAINER.items()},
        **{f"EphemeralContainer.{field}": words for field, words in _CONTAINER.items()},
        "AppArmorProfile.type": PROFILE_TYPE,
        "AzureDiskVolumeSource.cachingMode": ("None", "ReadOnly", "ReadWrite"),
        "AzureDiskVolumeSource.kind": ("Dedicated", "Managed", "Shared"),
        "ContainerPort.protocol": PROTOCOL,
        "EndpointPort.protocol": PROTOCOL,
        "HTTPGetAction.scheme": ("HTTP", "HTTPS"),
        "HostPathVolumeSource.type": (
            *("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate"),
            *("File", "FileOrCreate", "Socket"),
        ),
        "ImageVolumeSource.pullPolicy": PULL_POLICY,
        "ModifyVolumeStatus.status": ("InProgress", "Infeasible", "Pending"),
        "NamespaceStatus.phase": ("Active", "Terminating"),
        "NodeSelectorRequirement.operator": ("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"),
        "NodeStatus.phase": ("Pending", "Running", "Terminated"),
        "PersistentVolumeClaimSpec.accessModes[]": ACCESS_MODES,
        "PersistentVolumeClaimSpec.volumeMode": VOLUME_MODE,
        "PersistentVolumeClaimStatus.accessModes[]": ACCESS_MODES,
        "PersistentVolumeClaimStatus.phase": ("Bound", "Lost", "Pending"),
        "PersistentVolumeSpec.accessModes[]": ACCESS_MODES,
        "PersistentVolumeSpec.persistentVolumeReclaimPolicy": RECLAIM_POLICY,
        "PersistentVolumeSpec.volumeMode": VOLUME_MODE,
        "PersistentVolumeStatus.phase": ("Available", "Bound", "Failed", "Pending", "Released"),
        "PodSecurityContext.fsGroupChangePolicy": ("Always", "OnRootMismatch"),
        "PodSecurityContext.supplementalGroupsPolicy": ("Merge", "Strict"),
        "PodSpec.dnsPolicy": ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        "PodSpec.preemptionPolicy": PREEMPTION_POLICY,
        "PodSpec.restartPolicy": ("Always", "Never", "OnFailure"),
        "PodStatus.phase": ("Failed", "Pending", "Running", "Succeeded", "Unknown"),
        "PodStatus.qosClass": ("BestEffort", "Burstable", "Guaranteed"),
        "PortStatus.protocol": PROTOCOL,
        "ResourceQuotaSpec.scopes[]": QUOTA_SCOPES,
        "ScopedResourceSelectorRequirement.operator": ("DoesNotExist", "Exists", "In", "NotIn"),
        "ScopedResourceSelectorRequirement.scopeName": QUOTA_SCOPES,
        "SeccompProfile.type": PROFILE_TYPE,
        "SecurityContext.procMount": ("Default", "Unmasked"),
        "ServicePort.protocol": PROTOCOL,
        "ServiceSpec.externalTrafficPolicy": TRAFFIC_POLICY,
        "ServiceSpec.internalTrafficPolicy": TRAFFIC_POLICY,
        "ServiceSpec.ipFamilyPolicy": ("PreferDualStack", "RequireDualStack", "SingleStack"),
        "ServiceSpec.sessionAffinity": ("ClientIP", "None"),
        "ServiceSpec.type": ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
        "Taint.effect": TAINT_EFFECT,
        "Toleration.effect": TAINT_EFFECT,
        "Toleration.operator": ("Equal", "Exists", "Gt", "Lt"),
        "TopologySpreadConstraint.nodeAffinityPolicy": NODE_INCLUSION,
        "TopologySpreadConstraint.nodeTaintsPolicy": NODE_INCLUSION,
        "TopologySpreadConstraint.whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
        "VolumeMount.mountPropagation": ("Bidirectional", "HostToContainer", "None"),
    },
    "apps.v1": {
        "DaemonSetUpdateStrategy.type": UPDATE_STRATEGY,
        "DeploymentStrategy.type": ("Recreate", "RollingUpdate"),
        "StatefulSetSpec.podManagementPolicy": ("OrderedReady", "Parallel"),
        "StatefulSetUpdateStrategy.type": UPDATE_STRATEGY,
    },
    "batch.v1": {
        "CronJobSpec.concurrencyPolicy": ("Allow", "Forbid", "Replace"),
        "JobSpec.completionMode": ("Indexed", "NonIndexed"),
        "JobSpec.podReplacementPolicy": ("Failed", "TerminatingOrFailed"),
        "PodFailurePolicyOnExitCodesRequirement.operator": ("In", "NotIn"),
        "PodFailurePolicyRule.action": ("Count", "FailIndex", "FailJob", "Ignore"),
    },
    "discovery.v1": {
        "EndpointPort.protocol": PROTOCOL,
        "EndpointSlice.addressType": ("FQDN", "IPv4", "IPv6"),
    },
    "networking.v1": {
        "HTTPIngressPath.pathType": ("Exact", "ImplementationSpecific", "Prefix"),
        "IngressPortStatus.protocol": PROTOCOL,
        "NetworkPolicyPort.protocol": PROTOCOL,
        "NetworkPolicySpec.policyTypes[]": ("Egress", "Ingress"),
    },
    "policy.v1": {
        "PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy": ("AlwaysAllow", "IfHealthyBudget"),
    },
    "scheduling.v1": {"PriorityClass.preemptionPolicy": PREEMPTION_POLICY},
    "storage.v1": {
        "StorageClass.reclaimPolicy": RECLAIM_POLICY,
        "StorageClass.volumeBindingMode": ("Immediate", "WaitForFirstConsumer"),
    },
}
