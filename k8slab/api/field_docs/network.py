"""Fields of Services, EndpointSlices, Ingresses and NetworkPolicies.

Rule of use: rows of `field_docs.OF_STRUCTS`, by the Struct that has the field.

Upstream: staging/src/k8s.io/api/{core,discovery,networking}/v1/types.go
"""

NETWORK = {
    "ServiceSpec": {
        "type": "ClusterIP, NodePort, LoadBalancer or ExternalName: from where it is reached.",
        "clusterIP": "Its address in the cluster; None makes it headless.",
        "clusterIPs": "Its addresses, one of each family.",
        "selector": "The Pods behind it, by their labels; none means that somebody else writes "
        "the endpoints.",
        "ports": "The ports that it has.",
        "externalIPs": "Addresses of others that lead to it as well.",
        "externalName": "The name that DNS answers with, for type ExternalName.",
        "externalTrafficPolicy": "Cluster, or Local: only Pods of the node that a packet came to.",
        "internalTrafficPolicy": "Cluster, or Local: only Pods of the client's own node.",
        "healthCheckNodePort": "Where load balancers ask which nodes have Pods.",
        "ipFamilies": "The families of its addresses.",
        "ipFamilyPolicy": "Whether it needs one family of addresses, or two.",
        "loadBalancerClass": "Which implementation makes the load balancer.",
        "loadBalancerIP": "The address that is wanted of the load balancer.",
        "loadBalancerSourceRanges": "Who may come through the load balancer.",
        "allocateLoadBalancerNodePorts": "Whether a load balancer gets node ports.",
        "publishNotReadyAddresses": "Whether Pods that are not ready count, too.",
        "sessionAffinity": "None, or ClientIP: a client stays with its Pod.",
        "sessionAffinityConfig": "For how long.",
        "trafficDistribution": "Which Pods are preferred: of the same zone, or node.",
    },
    "ServicePort": {
        "name": "Its name; needed if there are several ports.",
        "port": "The port of the Service.",
        "targetPort": "The port of the Pods: a number, or the name of a container's port.",
        "nodePort": "The port on every node, for NodePort and LoadBalancer.",
        "appProtocol": "What is spoken on it, such as http.",
    },
    "EndpointSlice": {
        "addressType": "IPv4, IPv6 or FQDN.",
        "endpoints": "The addresses, at most 1000.",
        "ports": "The ports that all of them have.",
    },
    "Endpoint": {
        "addresses": "Its address; one.",
        "conditions": "Whether it is ready, serves, is ending.",
        "hints": "For whom it is meant.",
        "nodeName": "The node that it is on.",
        "targetRef": "The Pod.",
        "zone": "The zone that it is in.",
    },
    "EndpointConditions": {
        "ready": "Whether traffic may go there; never while it is ending.",
        "serving": "Whether it answers, even while it is ending.",
        "terminating": "Whether it is ending.",
    },
    "IngressSpec": {
        "ingressClassName": "Which controller serves it.",
        "defaultBackend": "Where requests go that no rule takes.",
        "rules": "Which host and path lead where.",
        "tls": "Which certificates for which hosts.",
    },
    "HTTPIngressPath": {
        "path": "The path, or its beginning.",
        "pathType": "Exact, Prefix or ImplementationSpecific.",
        "backend": "Where requests go.",
    },
    "NetworkPolicySpec": {
        "podSelector": "The Pods that it protects; an empty one means all.",
        "ingress": "Who may come in; an empty list means nobody.",
        "egress": "Where they may go; an empty list means nowhere.",
        "policyTypes": "Which directions it speaks of.",
    },
    "NetworkPolicyPeer": {
        "ipBlock": "Addresses.",
        "namespaceSelector": "Namespaces, by their labels.",
        "podSelector": "Pods, by their labels.",
    },
}
