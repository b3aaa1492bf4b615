"""The numbers of fields in the protobuf messages that a Pod is made of.

The form is that of `protobuf_fields`. Clients send whole Pods this way when they copy one:
`kubectl debug --copy-to`, `kubectl create job --from=cronjob/...`.

Rule of use: `protobuf_fields` reads it; what is not here is refused, and can be sent as JSON.

Upstream: staging/src/k8s.io/api/core/v1/generated.proto
"""

TABLE = """
Affinity: 1=nodeAffinity 2=podAffinity 3=podAntiAffinity
AppArmorProfile: 1=type 2=localhostProfile
CSIVolumeSource: 1=driver 2=readOnly 3=fsType 4=volumeAttributes 5=nodePublishSecretRef
Capabilities: 1=add 2=drop
ClusterTrustBundleProjection: 1=name 2=signerName 3=labelSelector 4=path 5=optional
ConfigMapEnvSource: 1=*LocalObjectReference 2=optional
ConfigMapKeySelector: 1=*LocalObjectReference 2=key 3=optional
ConfigMapProjection: 1=*LocalObjectReference 2=items 4=optional
ConfigMapVolumeSource: 1=*LocalObjectReference 2=items 3=defaultMode 4=optional
Container: 1=name 2=image 3=command 4=args 5=workingDir 6=ports 7=env 8=resources 9=volumeMounts
    10=livenessProbe 11=readinessProbe 12=lifecycle 13=terminationMessagePath 14=imagePullPolicy
    15=securityContext 16=stdin 17=stdinOnce 18=tty 19=envFrom 20=terminationMessagePolicy
    21=volumeDevices 22=startupProbe 23=resizePolicy 24=restartPolicy 25=restartPolicyRules
ContainerPort: 1=name 2=hostPort 3=containerPort 4=protocol 5=hostIP
ContainerResizePolicy: 1=resourceName 2=restartPolicy
ContainerRestartRule: 1=action 2=exitCodes
ContainerRestartRuleOnExitCodes: 1=operator 2=values
DownwardAPIProjection: 1=items
DownwardAPIVolumeFile: 1=path 2=fieldRef 3=resourceFieldRef 4=mode
DownwardAPIVolumeSource: 1=items 2=defaultMode
EmptyDirVolumeSource: 1=medium 2=sizeLimit
EnvFromSource: 1=prefix 2=configMapRef 3=secretRef
EnvVar: 1=name 2=value 3=valueFrom
EnvVarSource: 1=fieldRef 2=resourceFieldRef 3=configMapKeyRef 4=secretKeyRef 5=fileKeyRef
EphemeralContainer: 1=*Container 2=targetContainerName
EphemeralVolumeSource: 1=volumeClaimTemplate
ExecAction: 1=command
FileKeySelector: 1=volumeName 2=path 3=key 4=optional
GRPCAction: 1=port 2=service
HTTPGetAction: 1=path 2=port 3=host 4=scheme 5=httpHeaders
HTTPHeader: 1=name 2=value
HostAlias: 1=ip 2=hostnames
HostPathVolumeSource: 1=path 2=type
ImageVolumeSource: 1=reference 2=pullPolicy
KeyToPath: 1=key 2=path 3=mode
Lifecycle: 1=postStart 2=preStop 3=stopSignal
LifecycleHandler: 1=exec 2=httpGet 3=tcpSocket 4=sleep
LocalObjectReference: 1=name
NFSVolumeSource: 1=server 2=path 3=readOnly
NodeAffinity: 1=requiredDuringSchedulingIgnoredDuringExecution
    2=preferredDuringSchedulingIgnoredDuringExecution
NodeSelector: 1=nodeSelectorTerms
NodeSelectorRequirement: 1=key 2=operator 3=values
NodeSelectorTerm: 1=matchExpressions 2=matchFields
ObjectFieldSelector: 1=apiVersion 2=fieldPath
PersistentVolumeClaimSpec: 1=accessModes 2=resources 3=volumeName 4=selector 5=storageClassName
    6=volumeMode 7=dataSource 8=dataSourceRef 9=volumeAttributesClassName
PersistentVolumeClaimTemplate: 1=metadata 2=spec
PersistentVolumeClaimVolumeSource: 1=claimName 2=readOnly
Pod: 1=metadata 2=spec 3=status
PodAffinity: 1=requiredDuringSchedulingIgnoredDuringExecution
    2=preferredDuringSchedulingIgnoredDuringExecution
PodAffinityTerm: 1=labelSelector 2=namespaces 3=topologyKey 4=namespaceSelector 5=matchLabelKeys
    6=mismatchLabelKeys
PodAntiAffinity: 1=requiredDuringSchedulingIgnoredDuringExecution
    2=preferredDuringSchedulingIgnoredDuringExecution
PodDNSConfig: 1=nameservers 2=searches 3=options
PodDNSConfigOption: 1=name 2=value
PodOS: 1=name
PodReadinessGate: 1=conditionType
PodResourceClaim: 1=name 3=resourceClaimName 4=resourceClaimTemplateName
PodSchedulingGate: 1=name
PodSecurityContext: 1=seLinuxOptions 2=runAsUser 3=runAsNonRoot 4=supplementalGroups 5=fsGroup
    6=runAsGroup 7=sysctls 8=windowsOptions 9=fsGroupChangePolicy 10=seccompProfile
    11=appArmorProfile 12=supplementalGroupsPolicy 13=seLinuxChangePolicy
PodSpec: 1=volumes 2=containers 3=restartPolicy 4=terminationGracePeriodSeconds
    5=activeDeadlineSeconds 6=dnsPolicy 7=nodeSelector 8=serviceAccountName 9=serviceAccount
    10=nodeName 11=hostNetwork 12=hostPID 13=hostIPC 14=securityContext 15=imagePullSecrets
    16=hostname 17=subdomain 18=affinity 19=schedulerName 20=initContainers
    21=automountServiceAccountToken 22=tolerations 23=hostAliases 24=priorityClassName 25=priority
    26=dnsConfig 27=shareProcessNamespace 28=readinessGates 29=runtimeClassName
    30=enableServiceLinks 31=preemptionPolicy 32=overhead 33=topologySpreadConstraints
    34=ephemeralContainers 35=setHostnameAsFQDN 36=os 37=hostUsers 38=schedulingGates
    39=resourceClaims 40=resources 41=hostnameOverride
PodStatus: 1=phase 3=message 4=reason 5=hostIP 6=podIP 9=qosClass 11=nominatedNodeName 14=resize
    17=observedGeneration
PodTemplateSpec: 1=metadata 2=spec
PreferredSchedulingTerm: 1=weight 2=preference
Probe: 1=*ProbeHandler 2=initialDelaySeconds 3=timeoutSeconds 4=periodSeconds 5=successThreshold
    6=failureThreshold 7=terminationGracePeriodSeconds
ProbeHandler: 1=exec 2=httpGet 3=tcpSocket 4=grpc
ProjectedVolumeSource: 1=sources 2=defaultMode
ResourceClaim: 1=name 2=request
ResourceFieldSelector: 1=containerName 2=resource 3=divisor
ResourceRequirements: 1=limits 2=requests 3=claims
SELinuxOptions: 1=user 2=role 3=type 4=level
SeccompProfile: 1=type 2=localhostProfile
SecretEnvSource: 1=*LocalObjectReference 2=optional
SecretKeySelector: 1=*LocalObjectReference 2=key 3=optional
SecretProjection: 1=*LocalObjectReference 2=items 4=optional
SecretVolumeSource: 1=secretName 2=items 3=defaultMode 4=optional
SecurityContext: 1=capabilities 2=privileged 3=seLinuxOptions 4=runAsUser 5=runAsNonRoot
    6=readOnlyRootFilesystem 7=allowPrivilegeEscalation 8=runAsGroup 9=procMount 10=windowsOptions
    11=seccompProfile 12=appArmorProfile
ServiceAccountTokenProjection: 1=audience 2=expirationSeconds 3=path
SleepAction: 1=seconds
Sysctl: 1=name 2=value
TCPSocketAction: 1=port 2=host
Toleration: 1=key 2=operator 3=value 4=effect 5=tolerationSeconds
TopologySpreadConstraint: 1=maxSkew 2=topologyKey 3=whenUnsatisfiable 4=labelSelector 5=minDomains
    6=nodeAffinityPolicy 7=nodeTaintsPolicy 8=matchLabelKeys
TypedLocalObjectReference: 1=apiGroup 2=kind 3=name
TypedObjectReference: 1=apiGroup 2=kind 3=name 4=namespace
Volume: 1=name 2=*VolumeSource
VolumeDevice: 1=name 2=devicePath
VolumeMount: 1=name 2=readOnly 3=mountPath 4=subPath 5=mountPropagation 6=subPathExpr
    7=recursiveReadOnly
VolumeProjection: 1=secret 2=downwardAPI 3=configMap 4=serviceAccountToken 5=clusterTrustBundle
VolumeResourceRequirements: 1=limits 2=requests
VolumeSource: 1=hostPath 2=emptyDir 6=secret 7=nfs 10=persistentVolumeClaim 16=downwardAPI
    19=configMap 26=projected 28=csi 29=ephemeral 30=image
WeightedPodAffinityTerm: 1=weight 2=podAffinityTerm
WindowsSecurityContextOptions: 1=gmsaCredentialSpecName 2=gmsaCredentialSpec 3=runAsUserName
    4=hostProcess
"""
