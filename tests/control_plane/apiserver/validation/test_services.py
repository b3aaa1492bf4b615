from __future__ import annotations

from typing import Any

import pytest

BOTH = [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ports": []}, ["spec.ports: Required value"]),
        ({"ports": [], "clusterIP": "None"}, []),
        (
            {"ports": [{"port": 80}, {"port": 81}]},
            ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
        ),
        ({"ports": BOTH}, ['spec.ports[1].name: Duplicate value: "a"']),
        (
            {"ports": [{"port": 80, "targetPort": "9376"}]},
            [
                'spec.ports[0].targetPort: Invalid value: "9376": '
                "must contain at least one letter (a-z)"
            ],
        ),
        ({"ports": [{"port": 80, "targetPort": "nobody-has-this"}]}, []),
        (
            {"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]},
            [
                'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,'
                '"Port":80,"TargetPort":0,"NodePort":0}'
            ],
        ),
        (
            {"ports": [{"port": 80, "nodePort": 30001}]},
            ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
        ),
        (
            {"type": "NodePort", "clusterIP": "None"},
            [
                'spec.clusterIPs[0]: Invalid value: "None": '
                "may not be set to 'None' for NodePort services"
            ],
        ),
        ({"type": "ExternalName"}, ["spec.externalName: Required value"]),
        ({"type": "ExternalName", "externalName": "example.com.", "ports": []}, []),
        (
            {
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}},
            },
            [
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: "
                "must be greater than 0 and less than 86400"
            ],
        ),
        (
            {"externalTrafficPolicy": "Local"},
            [
                'spec.externalTrafficPolicy: Invalid value: "Local": '
                "may only be set for externally-accessible services"
            ],
        ),
        (
            {"clusterIP": "10.0.0.300"},
            [
                'spec.clusterIPs[0]: Invalid value: "10.0.0.300": '
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            ],
        ),
        (
            {"externalIPs": ["127.0.0.1"]},
            [
                'spec.externalIPs[0]: Invalid value: "127.0.0.1": '
                "may not be in the loopback range (127.0.0.0/8, ::1/128)"
            ],
        ),
        (
            {"trafficDistribution": "Near"},
            [
                'spec.trafficDistribution: Unsupported value: "Near": supported values: '
                '"PreferClose", "PreferSameZone", "PreferSameNode"'
            ],
        ),
        (
            {"selector": {"a b": "c"}},
            [
                'spec.selector: Invalid value: "a b": name part must consist of alphanumeric '
                "characters, '-', '_' or '.', and must start and end with an alphanumeric "
                "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation "
                "is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            ],
        ),
    ],
)
def test_a_service_is_refused_in_upstreams_words(
    wrong: Any, service: Any, spec: dict[str, Any], expected: list[str]
) -> None:
    assert wrong(service(**spec)) == expected


def test_a_cluster_ip_may_not_change_once_set(wrong: Any, service: Any) -> None:
    before = service(clusterIP="10.96.0.9", clusterIPs=["10.96.0.9"])
    after = service(clusterIP="10.96.0.8", clusterIPs=["10.96.0.8"])
    assert wrong(after, before) == [
        'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set'
    ]
    gone = service(type="ExternalName", externalName="example.com", ports=[])
    assert wrong(gone, before) == []


def test_endpoints_have_real_addresses_of_the_slices_family(wrong: Any) -> None:
    manifest = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "web-1", "namespace": "default"},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.2.999"]}, {"addresses": []}],
    }
    assert wrong(manifest) == [
        'endpoints[0].addresses[0]: Invalid value: "10.1.2.999": '
        "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        "endpoints[1].addresses: Required value: must contain at least 1 address",
    ]
    changed = {**manifest, "addressType": "FQDN", "endpoints": []}
    assert wrong(changed, manifest) == ['addressType: Invalid value: "FQDN": field is immutable']
