"""What each controller may do: its own ServiceAccount, its own role.

The controllers of one process share their informers, which read as system:kube-controller-manager;
whatever a controller asks for or writes itself, it does under its account.

Rule of use: a table; `bootstrap_policy` makes roles and bindings of it.

Upstream: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go
"""

from __future__ import annotations

_EVENTS = "EVENTS: core events\nEVENTS: events.k8s.io events"
CONTROLLERS = {
    "clusterrole-aggregation-controller": """
        escalate get list patch update watch: rbac.authorization.k8s.io clusterroles
    """,
    "cronjob-controller": f"""
        get list update watch: batch cronjobs
        create delete get list patch update watch: batch jobs
        update: batch cronjobs/status
        update: batch cronjobs/finalizers
        delete list: core pods
        {_EVENTS}
    """,
    "daemon-set-controller": f"""
        READ: apps daemonsets
        update: apps daemonsets/status
        update: apps daemonsets/finalizers
        list watch: core nodes
        create delete list patch watch: core pods
        create: core pods/binding
        create delete get list patch update watch: apps controllerrevisions
        {_EVENTS}
    """,
    "deployment-controller": f"""
        get list update watch: apps deployments
        update: apps deployments/status
        update: apps deployments/finalizers
        create delete get list patch update watch: apps replicasets
        get list update watch: core pods
        {_EVENTS}
    """,
    "disruption-controller": f"""
        READ: apps deployments
        READ: apps replicasets
        READ: core replicationcontrollers
        READ: policy poddisruptionbudgets
        READ: apps statefulsets
        update: policy poddisruptionbudgets/status
        get list patch watch: core pods
        patch update: core pods/status
        get: * */scale
        {_EVENTS}
    """,
    "endpoint-controller": f"""
        READ: core pods services
        create delete get list update: core endpoints
        create: core endpoints/restricted
        {_EVENTS}
    """,
    "endpointslice-controller": f"""
        READ: core nodes pods services
        update: core services/finalizers
        create delete get list update: discovery.k8s.io endpointslices
        create: discovery.k8s.io endpointslices/restricted
        {_EVENTS}
    """,
    "endpointslicemirroring-controller": f"""
        READ: core endpoints services
        update: core services/finalizers
        update: core endpoints/finalizers
        create delete get list update: discovery.k8s.io endpointslices
        create: discovery.k8s.io endpointslices/restricted
        {_EVENTS}
    """,
    "ephemeral-volume-controller": f"""
        READ: core pods
        update: core pods/finalizers
        create READ: core persistentvolumeclaims
        {_EVENTS}
    """,
    "generic-garbage-collector": f"""
        delete get list patch update watch: * *
        {_EVENTS}
    """,
    "horizontal-pod-autoscaler": f"""
        READ: autoscaling horizontalpodautoscalers
        update: autoscaling horizontalpodautoscalers/status
        get update: * */scale
        list: core pods
        list: metrics.k8s.io pods
        get list: custom.metrics.k8s.io *
        get list: external.metrics.k8s.io *
        {_EVENTS}
    """,
    "job-controller": f"""
        get list patch update watch: batch jobs
        update: batch jobs/status
        update: batch jobs/finalizers
        create delete list patch watch: core pods
        {_EVENTS}
    """,
    "namespace-controller": """
        delete get list watch: core namespaces
        update: core namespaces/finalize namespaces/status
        delete deletecollection get list: * *
    """,
    "node-controller": f"""
        delete get list patch update: core nodes
        patch update: core nodes/status
        patch update: core pods/status
        delete get list: core pods
        {_EVENTS}
    """,
    "persistent-volume-binder": f"""
        create delete get list update watch: core persistentvolumes
        update: core persistentvolumes/status
        get list update watch: core persistentvolumeclaims
        update: core persistentvolumeclaims/status
        create delete get list watch: core pods
        READ: storage.k8s.io storageclasses
        READ: core nodes
        watch: core events
        {_EVENTS}
    """,
    "local-path-provisioner": f"""
        create delete READ: core persistentvolumes
        READ: core persistentvolumeclaims
        READ: storage.k8s.io storageclasses
        READ: core nodes
        {_EVENTS}
    """,
    "pod-garbage-collector": """
        delete list watch: core pods
        get list: core nodes
        patch: core pods/status
    """,
    "pv-protection-controller": f"""
        get list update watch: core persistentvolumes
        {_EVENTS}
    """,
    "pvc-protection-controller": f"""
        get list update watch: core persistentvolumeclaims
        READ: core pods
        {_EVENTS}
    """,
    "replicaset-controller": f"""
        get list update watch: apps replicasets
        update: apps replicasets/status
        update: apps replicasets/finalizers
        create delete list patch watch: core pods
        {_EVENTS}
    """,
    "replication-controller": f"""
        get list update watch: core replicationcontrollers
        update: core replicationcontrollers/status
        update: core replicationcontrollers/finalizers
        create delete list patch watch: core pods
        {_EVENTS}
    """,
    "resourcequota-controller": f"""
        list watch: * *
        update: core resourcequotas/status
        {_EVENTS}
    """,
    "root-ca-cert-publisher": f"""
        create update: core configmaps
        {_EVENTS}
    """,
    "service-account-controller": f"""
        create: core serviceaccounts
        {_EVENTS}
    """,
    "service-cidrs-controller": f"""
        get list patch update watch: networking.k8s.io servicecidrs
        patch update: networking.k8s.io servicecidrs/finalizers
        patch update: networking.k8s.io servicecidrs/status
        READ: networking.k8s.io ipaddresses
        {_EVENTS}
    """,
    "service-controller": f"""
        get list patch update watch: core services
        patch update: core services/status
        list watch: core nodes
        {_EVENTS}
    """,
    "statefulset-controller": f"""
        list watch: core pods
        READ: apps statefulsets
        update: apps statefulsets/status
        update: apps statefulsets/finalizers
        create delete get patch update: core pods
        create delete get list patch update watch: apps controllerrevisions
        create get: core persistentvolumeclaims
        delete update: core persistentvolumeclaims
        {_EVENTS}
    """,
    "ttl-after-finished-controller": f"""
        delete get list watch: batch jobs
        {_EVENTS}
    """,
    "ttl-controller": f"""
        list patch update watch: core nodes
        {_EVENTS}
    """,
}
