"""The numbers of fields in Kubernetes' protobuf messages.

One line a message (long ones go on, indented): the number on the wire, the name in JSON. `:time`
and `:bytes` say what text in JSON is on the wire, `:json` that it is JSON itself; `*Name` is a
message whose fields JSON has among its parent's. The messages of a Pod are a table of their own.

Overhead: 1=podFixed
Rule of use: only what clients send in this form is here; files are sent as JSON.

RuntimeClass: 1=metadata 2=handler 3=overhead 4=scheduling
Scheduling: 1=nodeSelector 2=tolerations
Upstream: staging/src/k8s.io/api/*/generated.proto
"""

from functools import cache
from typing import TypeAlias

from k8slab.gateway import protobuf_pod_fields

Fields: TypeAlias = dict[int, tuple[str, str]]  # number -> name, "" or time, bytes, json, inline

TABLE = """
AggregationRule: 1=clusterRoleSelectors
Binding: 1=metadata 2=target
BoundObjectReference: 1=kind 2=apiVersion 3=name 4=uid
ClusterRole: 1=metadata 2=rules 3=aggregationRule
ClusterRoleBinding: 1=metadata 2=subjects 3=roleRef
ConfigMap: 1=metadata 2=data 3=binaryData:bytes 4=immutable
CronJob: 1=metadata 2=spec 3=status
CronJobSpec: 1=schedule 2=startingDeadlineSeconds 3=concurrencyPolicy 4=suspend 5=jobTemplate
    6=successfulJobsHistoryLimit 7=failedJobsHistoryLimit 8=timeZone
CronJobStatus: 1=active 4=lastScheduleTime:time 5=lastSuccessfulTime:time
CrossVersionObjectReference: 1=kind 2=name 3=apiVersion
DeleteOptions: 1=gracePeriodSeconds 2=preconditions 3=orphanDependents 4=propagationPolicy
    5=dryRun
Deployment: 1=metadata 2=spec 3=status
DeploymentSpec: 1=replicas 2=selector 3=template 4=strategy 5=minReadySeconds
    6=revisionHistoryLimit 7=paused 9=progressDeadlineSeconds
DeploymentStatus: 1=observedGeneration 2=replicas 3=updatedReplicas 4=availableReplicas
    5=unavailableReplicas 7=readyReplicas
DeploymentStrategy: 1=type 2=rollingUpdate
Eviction: 1=metadata 2=deleteOptions
HTTPIngressPath: 1=path 2=backend 3=pathType
HTTPIngressRuleValue: 1=paths
HorizontalPodAutoscaler: 1=metadata 2=spec 3=status
HorizontalPodAutoscalerSpec: 1=scaleTargetRef 2=minReplicas 3=maxReplicas 4=metrics 5=behavior
HorizontalPodAutoscalerStatus: 1=observedGeneration 2=lastScaleTime:time 3=currentReplicas
    4=desiredReplicas
Ingress: 1=metadata 2=spec 3=status
IngressBackend: 3=resource 4=service
IngressLoadBalancerStatus: 1=ingress
IngressRule: 1=host 2=*IngressRuleValue
IngressRuleValue: 1=http
IngressServiceBackend: 1=name 2=port
IngressSpec: 1=defaultBackend 2=tls 3=rules 4=ingressClassName
IngressStatus: 1=loadBalancer
IngressTLS: 1=hosts 2=secretName
Job: 1=metadata 2=spec 3=status
JobSpec: 1=parallelism 2=completions 3=activeDeadlineSeconds 4=selector 5=manualSelector
    6=template 7=backoffLimit 8=ttlSecondsAfterFinished 9=completionMode 10=suspend
    11=podFailurePolicy 12=backoffLimitPerIndex 13=maxFailedIndexes 14=podReplacementPolicy
    15=managedBy 16=successPolicy
JobStatus: 2=startTime:time 3=completionTime:time 4=active 5=succeeded 6=failed
    7=completedIndexes
JobTemplateSpec: 1=metadata 2=spec
LabelSelector: 1=matchLabels 2=matchExpressions
LabelSelectorRequirement: 1=key 2=operator 3=values
LoadBalancerStatus: 1=ingress
LocalSubjectAccessReview: 1=metadata 2=spec 3=status
ManagedFieldsEntry: 1=manager 2=operation 3=apiVersion 4=time:time 6=fieldsType 7=fieldsV1:json
    8=subresource
MetricSpec: 1=type 4=resource
MetricTarget: 1=type 2=value 3=averageValue 4=averageUtilization
Namespace: 1=metadata 2=spec 3=status
NamespaceSpec: 1=finalizers
NamespaceStatus: 1=phase
NonResourceAttributes: 1=path 2=verb
NonResourceRule: 1=verbs 2=nonResourceURLs
ObjectMeta: 1=name 2=generateName 3=namespace 4=selfLink 5=uid 6=resourceVersion 7=generation
    8=creationTimestamp:time 9=deletionTimestamp:time 10=deletionGracePeriodSeconds 11=labels
    12=annotations 13=ownerReferences 14=finalizers 17=managedFields
ObjectReference: 1=kind 2=namespace 3=name 4=uid 5=apiVersion 6=resourceVersion 7=fieldPath
OwnerReference: 1=kind 3=name 4=uid 5=apiVersion 6=controller 7=blockOwnerDeletion
PodDisruptionBudget: 1=metadata 2=spec 3=status
PodDisruptionBudgetSpec: 1=minAvailable 2=selector 3=maxUnavailable 4=unhealthyPodEvictionPolicy
PodDisruptionBudgetStatus: 1=observedGeneration 3=disruptionsAllowed 4=currentHealthy
    5=desiredHealthy 6=expectedPods
PodFailurePolicy: 1=rules
PodFailurePolicyOnExitCodesRequirement: 1=containerName 2=operator 3=values
PodFailurePolicyOnPodConditionsPattern: 1=type 2=status
PodFailurePolicyRule: 1=action 2=onExitCodes 3=onPodConditions
PolicyRule: 1=verbs 2=apiGroups 3=resources 4=resourceNames 5=nonResourceURLs
Preconditions: 1=uid 2=resourceVersion
PriorityClass: 1=metadata 2=value 3=globalDefault 4=description 5=preemptionPolicy
ResourceAttributes: 1=namespace 2=verb 3=group 4=version 5=resource 6=subresource 7=name
ResourceMetricSource: 1=name 2=target
ResourceQuota: 1=metadata 2=spec 3=status
ResourceQuotaSpec: 1=hard 2=scopes
ResourceQuotaStatus: 1=hard 2=used
ResourceRule: 1=verbs 2=apiGroups 3=resources 4=resourceNames
Role: 1=metadata 2=rules
RoleBinding: 1=metadata 2=subjects 3=roleRef
RoleRef: 1=apiGroup 2=kind 3=name
RollingUpdateDeployment: 1=maxUnavailable 2=maxSurge
Secret: 1=metadata 2=data:bytes 3=type 4=stringData 5=immutable
SelfSubjectAccessReview: 1=metadata 2=spec 3=status
SelfSubjectAccessReviewSpec: 1=resourceAttributes 2=nonResourceAttributes
SelfSubjectReview: 1=metadata 2=status
SelfSubjectReviewStatus: 1=userInfo
SelfSubjectRulesReview: 1=metadata 2=spec 3=status
SelfSubjectRulesReviewSpec: 1=namespace
Service: 1=metadata 2=spec 3=status
ServiceAccount: 1=metadata 2=secrets 3=imagePullSecrets 4=automountServiceAccountToken
ServiceBackendPort: 1=name 2=number
ServicePort: 1=name 2=protocol 3=port 4=targetPort 5=nodePort 6=appProtocol
ServiceSpec: 1=ports 2=selector 3=clusterIP 4=type 5=externalIPs 7=sessionAffinity
    8=loadBalancerIP 10=externalName 11=externalTrafficPolicy 12=healthCheckNodePort
    13=publishNotReadyAddresses
ServiceStatus: 1=loadBalancer
Subject: 1=kind 2=apiGroup 3=name 4=namespace
SubjectAccessReview: 1=metadata 2=spec 3=status
SubjectAccessReviewSpec: 1=resourceAttributes 2=nonResourceAttributes 3=user 4=groups 6=uid
SubjectAccessReviewStatus: 1=allowed 2=reason 3=evaluationError 4=denied
SubjectRulesReviewStatus: 1=resourceRules 2=nonResourceRules 3=incomplete 4=evaluationError
SuccessPolicy: 1=rules
SuccessPolicyRule: 1=succeededIndexes 2=succeededCount
TokenRequest: 1=metadata 2=spec 3=status
TokenRequestSpec: 1=audiences 3=boundObjectRef 4=expirationSeconds
TokenRequestStatus: 1=token 2=expirationTimestamp:time
TokenReview: 1=metadata 2=spec 3=status
TokenReviewSpec: 1=token 2=audiences
TokenReviewStatus: 1=authenticated 2=user 3=error 4=audiences
UserInfo: 1=username 2=uid 3=groups
"""


@cache
def fields_of(message: str) -> Fields:
    """Return the fields of a message, empty if the message is not in the table.

    >>> fields_of("IngressRule")
    {1: ('host', ''), 2: ('IngressRuleValue', 'inline')}
    """
    return _table().get(message, {})


@cache
def _table() -> dict[str, Fields]:
    text = f"{TABLE.strip()}\n{protobuf_pod_fields.TABLE.strip()}"
    lines = text.replace("\n    ", " ").splitlines()
    rows = (line.partition(":") for line in lines)
    return {name: dict(_field(entry) for entry in rest.split()) for name, _, rest in rows}


def _field(entry: str) -> tuple[int, tuple[str, str]]:
    number, _, name = entry.partition("=")
    if name.startswith("*"):
        return int(number), (name[1:], "inline")
    name, _, how = name.partition(":")
    return int(number), (name, how)
