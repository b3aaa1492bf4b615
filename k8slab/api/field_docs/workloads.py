"""Fields of workloads, nodes and namespaces.

Rule of use: rows of `field_docs.OF_STRUCTS`, by the Struct that has the field.

Upstream: staging/src/k8s.io/api/{apps,batch,core}/v1/types.go
"""

WORKLOADS = {
    "DeploymentSpec": {
        "replicas": "How many Pods there should be; 1 if nothing is said.",
        "paused": "Whether a changed template is not rolled out for now.",
        "progressDeadlineSeconds": "After how many seconds without progress it says so; 600.",
        "strategy": "How old Pods make way for new ones.",
    },
    "DeploymentStrategy": {
        "type": "RollingUpdate, or Recreate: all old Pods go first.",
        "rollingUpdate": "How many Pods too many or too few there may be on the way.",
    },
    "RollingUpdateDeployment": {
        "maxSurge": "How many Pods more than wanted, a number or a percentage (rounded up); 25%.",
        "maxUnavailable": "How many Pods fewer than wanted, a number or a percentage (rounded "
        "down); 25%.",
    },
    "DeploymentStatus": {
        "replicas": "How many Pods there are, of all revisions.",
        "unavailableReplicas": "How many Pods are still missing.",
    },
    "ReplicaSetSpec": {"replicas": "How many Pods there should be; 1 if nothing is said."},
    "ReplicaSetStatus": {
        "replicas": "How many Pods there are.",
        "fullyLabeledReplicas": "How many Pods have all labels of the template.",
    },
    "StatefulSetSpec": {
        "replicas": "How many Pods there should be, from ordinal 0 on.",
        "serviceName": "The headless Service that gives the Pods their names in DNS.",
        "podManagementPolicy": "OrderedReady, one after the other, or Parallel.",
        "updateStrategy": "How Pods are replaced when the template changes.",
        "volumeClaimTemplates": "Claims that each Pod gets of its own, and keeps.",
        "persistentVolumeClaimRetentionPolicy": "What becomes of the claims of Pods that go.",
        "ordinals": "The first number.",
    },
    "RollingUpdateStatefulSetStrategy": {
        "partition": "Pods below this number keep the old template.",
        "maxUnavailable": "How many Pods may be replaced at a time.",
    },
    "DaemonSetStatus": {
        "desiredNumberScheduled": "How many nodes should run the Pod.",
        "currentNumberScheduled": "How many of those run it.",
        "numberMisscheduled": "How many nodes run it and should not.",
        "numberReady": "How many Pods are ready.",
        "numberAvailable": "How many Pods are available.",
        "numberUnavailable": "How many nodes lack an available Pod.",
        "updatedNumberScheduled": "How many Pods are of the newest template.",
    },
    "JobSpec": {
        "completions": "How many Pods must succeed.",
        "parallelism": "How many Pods may run at a time.",
        "completionMode": "NonIndexed, or Indexed: each Pod has a number and its own part.",
        "backoffLimit": "After how many failures the Job has failed; 6.",
        "backoffLimitPerIndex": "After how many failures a number has failed.",
        "maxFailedIndexes": "How many numbers may fail.",
        "activeDeadlineSeconds": "After how many seconds the Job is ended.",
        "ttlSecondsAfterFinished": "How many seconds after its end the Job is deleted.",
        "manualSelector": "Whether the selector is yours to say.",
        "podFailurePolicy": "What a failure means, by exit code and condition.",
        "podReplacementPolicy": "Whether a Pod that is ending is replaced at once.",
        "successPolicy": "When enough have succeeded.",
        "managedBy": "Which controller looks after it.",
        "selector": "Its Pods; made by the server.",
    },
    "JobStatus": {
        "active": "How many Pods run or wait.",
        "ready": "How many Pods are ready.",
        "succeeded": "How many Pods have succeeded.",
        "failed": "How many Pods have failed.",
        "terminating": "How many Pods are ending.",
        "completedIndexes": "Which numbers have succeeded.",
        "failedIndexes": "Which numbers have failed.",
    },
    "CronJobSpec": {
        "schedule": "When, in cron's five fields: minute, hour, day, month, weekday.",
        "timeZone": "Whose clock; that of the controller manager if nothing is said.",
        "concurrencyPolicy": "What if the last Job still runs: Allow, Forbid or Replace.",
        "startingDeadlineSeconds": "By how many seconds a start may be late.",
        "successfulJobsHistoryLimit": "How many Jobs that succeeded are kept; 3.",
        "failedJobsHistoryLimit": "How many Jobs that failed are kept; 1.",
        "jobTemplate": "What the Jobs look like.",
    },
    "CronJobStatus": {
        "active": "The Jobs that run.",
        "lastScheduleTime": "When a Job was last started.",
        "lastSuccessfulTime": "When a Job last succeeded.",
    },
    "NodeSpec": {
        "podCIDR": "The addresses for its Pods.",
        "podCIDRs": "The addresses for its Pods, one range of each family.",
        "providerID": "What the cloud calls it.",
        "taints": "What keeps Pods away that do not tolerate it.",
        "unschedulable": "Whether no new Pods are placed on it: kubectl cordon.",
    },
    "Taint": {
        "key": "Its name.",
        "value": "Its value.",
        "effect": "NoSchedule, PreferNoSchedule, or NoExecute, which evicts, too.",
        "timeAdded": "Since when.",
    },
    "NodeStatus": {
        "addresses": "Its addresses and names.",
        "capacity": "What it has.",
        "allocatable": "What it has for Pods.",
        "images": "Images that are on its disk.",
        "nodeInfo": "Its versions.",
    },
    "NamespaceStatus": {"phase": "Active, or Terminating while it is being emptied."},
    "Event": {
        "involvedObject": "What it is about.",
        "count": "How often it happened.",
        "firstTimestamp": "When it first happened.",
        "lastTimestamp": "When it last happened.",
        "source": "Who says so.",
        "type": "Normal or Warning.",
        "reportingComponent": "Which program says so.",
    },
}
