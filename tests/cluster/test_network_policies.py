"""NetworkPolicies on a whole cluster: applied, enforced by every node's agent, lifted again."""

from __future__ import annotations

from k8slab import Cluster

DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: default}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
"""
ALLOW = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow, namespace: default}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
  - from: [{podSelector: {matchLabels: {access: granted}}}]
    ports: [{port: 80}]
"""
NO_WAY_OUT = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: no-way-out, namespace: default}
spec: {podSelector: {matchLabels: {access: granted}}, policyTypes: [Egress]}
"""


def outcomes(cluster: Cluster, source: str = "pod/client", url: str = "http://web") -> set[str]:
    return {cluster.request(source, url, timeout=2).outcome for _ in range(8)}


def test_a_default_deny_is_a_time_out_and_names_the_rule(cluster: Cluster) -> None:
    cluster.apply(DENY)
    cluster.run(2)
    answer = cluster.request("pod/client", "http://web")
    assert answer.outcome == "timed out"
    assert answer.decisive_rule is not None
    (last,) = [hop.rule for hop in answer.hops if hop.rule is not None and "DROP" in hop.rule.text][
        -1:
    ]
    assert "no policy allows this ingress" in last.text


def test_policies_add_up_and_follow_labels(cluster: Cluster) -> None:
    cluster.apply(DENY + "---" + ALLOW)
    cluster.run(2)
    assert outcomes(cluster) == {"timed out"}
    cluster.kubectl("label pod client access=granted")
    cluster.run(2)
    assert outcomes(cluster) == {"answered"}
    cluster.kubectl("label pod client access-")
    cluster.kubectl("delete networkpolicy deny allow")
    cluster.run(2)
    assert outcomes(cluster) == {"answered"}


def test_new_pods_are_covered_and_probes_still_pass(cluster: Cluster) -> None:
    cluster.apply(DENY)
    probe = '{"httpGet":{"port":80},"periodSeconds":1}'
    container = f'{{"name":"web","readinessProbe":{probe}}}'
    patch = f'{{"spec":{{"template":{{"spec":{{"containers":[{container}]}}}}}}}}'
    cluster.kubectl(f"patch deployment web -p '{patch}'")
    cluster.kubectl("rollout status deployment web")
    cluster.run(5)
    assert "3/3" in cluster.kubectl("get deployment web")
    assert outcomes(cluster) == {"timed out"}


def test_without_a_way_out_not_even_names_are_found(cluster: Cluster) -> None:
    cluster.kubectl("label pod client access=granted")
    cluster.apply(NO_WAY_OUT)
    cluster.run(2)
    assert outcomes(cluster) == {"unresolved"}
    assert outcomes(cluster, "deployment/web") == {"answered"}


def test_the_rules_stay_without_the_agent_and_a_new_one_tidies_up(cluster: Cluster) -> None:
    cluster.apply(DENY)
    cluster.run(2)
    cluster.kubectl("delete daemonset kindnet -n kube-system")
    cluster.run(40)
    cluster.kubectl("delete networkpolicy deny")
    cluster.run(5)
    assert outcomes(cluster) == {"timed out"}
    from k8slab.addons import manifests

    cluster.apply(manifests.text("kindnet", **cluster.world.placeholders))
    cluster.run(20)
    assert outcomes(cluster) == {"answered"}
