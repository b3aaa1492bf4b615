"""A KubeSchedulerConfiguration: what it says by not saying it, and what it may not say."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.control_plane.scheduler import explain
from k8slab.control_plane.scheduler.config import ConfigError, parse
from k8slab.control_plane.scheduler.framework.snapshot import Handle, Snapshot
from k8slab.control_plane.scheduler.profile import DEFAULT_PLUGINS, make_framework, make_profile

HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
RANGE = "not in valid range"


def profile(text: str) -> Any:
    """The one profile of a configuration whose profile says this."""
    return parse(HEAD + "profiles:\n- " + text).profiles[0]


def framework(text: str) -> Any:
    return make_profile(Handle(Snapshot()), profile(text))


def filters(text: str) -> list[str]:
    return [name for name, _ in framework(text)._filters]


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as failure:
        parse(HEAD + text)
    return str(failure.value)


# -- what is there by default


def test_a_configuration_that_says_nothing_is_the_default_one() -> None:
    config = parse(HEAD)
    assert [each.schedulerName for each in config.profiles] == ["default-scheduler"]
    assert (config.percentageOfNodesToScore, config.parallelism) == (0, 16)
    assert (config.podInitialBackoffSeconds, config.podMaxBackoffSeconds) == (1, 10)
    made = make_profile(Handle(Snapshot()), config.profiles[0])
    by_hand = make_framework(Handle(Snapshot()))
    assert (made.weights, list(made.events)) == (by_hand.weights, list(by_hand.events))


def test_only_a_single_profile_gets_a_name() -> None:
    text = "profiles: [{percentageOfNodesToScore: 5}, {schedulerName: b}]"
    assert refusal(text) == "profiles[0].schedulerName: Required value"


# -- plugins on and off


def test_a_plugin_is_disabled_at_one_point_only() -> None:
    own = framework("plugins: {score: {disabled: [{name: ImageLocality}, {name: NodeAffinity}]}}")
    assert "ImageLocality" not in own.weights
    assert "NodeAffinity" not in own.weights
    assert "NodeAffinity" in [name for name, _ in own._filters]


def test_a_star_disables_all_of_a_point_and_enabled_brings_some_back() -> None:
    text = "plugins: {filter: {disabled: [{name: '*'}], enabled: [{name: NodePorts}]}}"
    assert filters(text) == ["NodePorts"]
    assert "TaintToleration" in framework(text).weights


def test_multi_point_disables_everywhere() -> None:
    own = framework("plugins: {multiPoint: {disabled: [{name: NodeAffinity}]}}")
    assert "NodeAffinity" not in (*own.weights, *own.events)


def test_a_default_plugin_gets_a_new_weight_in_its_old_place() -> None:
    text = "plugins: {multiPoint: {enabled: [{name: ImageLocality, weight: 9}]}}"
    own = framework(text)
    assert own.weights["ImageLocality"] == 9
    assert list(own.weights) == list(framework("schedulerName: x").weights)


def test_the_weight_of_score_goes_before_that_of_multi_point() -> None:
    score = "score: {enabled: [{name: NodeAffinity, weight: 7}]}"
    both = f"plugins: {{multiPoint: {{enabled: [{{name: NodeAffinity, weight: 4}}]}}, {score}}}"
    assert framework(both).weights["NodeAffinity"] == 7


def test_what_a_point_enables_anew_comes_first_there() -> None:
    text = "plugins: {filter: {enabled: [{name: PodTopologySpread}, {name: NodePorts}]}}"
    assert filters(text)[:3] == ["PodTopologySpread", "NodePorts", "NodeUnschedulable"]
    assert len(filters(text)) == len(filters("schedulerName: x"))


def test_filters_come_in_the_order_in_which_a_profile_names_them() -> None:
    names = [kind.name for kind, _ in DEFAULT_PLUGINS]
    default = filters("schedulerName: x")
    assert default == [name for name in names if name in default]


@pytest.mark.parametrize(
    ("plugins", "why"),
    [
        ("filter: {enabled: [{name: Nope}]}", 'FilterPlugin "Nope" does not exist'),
        ("multiPoint: {enabled: [{name: Nope}]}", 'PreEnqueuePlugin "Nope" does not exist'),
        (
            "score: {enabled: [{name: NodePorts}]}",
            'plugin "NodePorts" does not extend ScorePlugin plugin',
        ),
        (
            "filter: {enabled: [{name: NodePorts}, {name: NodePorts}]}",
            'plugin "NodePorts" already registered as "FilterPlugin"',
        ),
        (
            "bind: {disabled: [{name: DefaultBinder}]}",
            "at least one bind plugin is needed for profile with scheduler name "
            '"default-scheduler"',
        ),
        (
            "queueSort: {disabled: [{name: '*'}]}",
            "only one queue sort plugin required for profile with scheduler name "
            '"default-scheduler", but got 0',
        ),
    ],
)
def test_plugins_that_do_not_fit_together(plugins: str, why: str) -> None:
    with pytest.raises(ConfigError) as failure:
        framework(f"plugins: {{{plugins}}}")
    where = "initializing profiles: creating profile for scheduler name default-scheduler: "
    assert str(failure.value) == where + why


def test_a_filter_without_its_pre_filter_fails_the_pod(node: Any, pod: Any) -> None:
    own = profile("plugins: {preFilter: {disabled: [{name: InterPodAffinity}]}}")
    told = explain(pod(), [node()], profile=own)
    assert told.event == (
        'running "InterPodAffinity" filter plugin: '
        'error reading "PreFilterInterPodAffinity" from cycleState: not found'
    )


def test_a_score_without_its_pre_score_fails_the_pod(node: Any, pod: Any) -> None:
    own = profile("plugins: {preScore: {disabled: [{name: TaintToleration}]}}")
    soft = [{"key": "slow", "effect": "PreferNoSchedule"}]
    told = explain(pod(), [node("a"), node("b", taints=soft)], profile=own)
    assert told.event == (
        'running Score plugins: plugin "TaintToleration" failed with: '
        'error reading "PreScoreTaintToleration" from cycleState: not found'
    )


# -- what may not be said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "parallelism: 0",
            "parallelism: Invalid value: 0: should be an integer value greater than zero",
        ),
        (
            "percentageOfNodesToScore: 101",
            f"percentageOfNodesToScore: Invalid value: 101: {RANGE} [0-100]",
        ),
        (
            "profiles: [{percentageOfNodesToScore: -1}]",
            f"profiles[0].percentageOfNodesToScore: Invalid value: -1: {RANGE} [0-100]",
        ),
        (
            "podInitialBackoffSeconds: 0",
            "podInitialBackoffSeconds: Invalid value: 0: must be greater than 0",
        ),
        (
            "podInitialBackoffSeconds: 20",
            "podMaxBackoffSeconds: Invalid value: 10: "
            "must be greater than or equal to PodInitialBackoffSeconds",
        ),
        (
            "profiles: [{schedulerName: a}, {schedulerName: a}]",
            'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
        ),
        (
            "leaderElection: {leaderElect: true, resourceLock: endpoints}",
            'leaderElection.resourceLock: Invalid value: "endpoints": '
            'resourceLock value must be "leases"',
        ),
        (
            "profiles: [{plugins: {filter: {enabled: [{name: EBSLimits}]}}}]",
            'profiles[0].plugins.filter.enabled[0]: Invalid value: "EBSLimits": was invalid in '
            'version "kubescheduler.config.k8s.io/v1" (KubeSchedulerConfiguration is version '
            '"kubescheduler.config.k8s.io/v1")',
        ),
        ("profile: []", 'strict decoding error: unknown field "profile"'),
        (
            "profiles: [{pluginConfig: [{name: NodePorts}, {name: NodePorts}]}]",
            'profiles[0].pluginConfig[1]: Duplicate value: "NodePorts"',
        ),
        ("parallelism: 0\npercentageOfNodesToScore: -2", "["),
    ],
)
def test_what_a_configuration_may_not_say(text: str, why: str) -> None:
    found = refusal(text)
    assert found == why if why != "[" else found.startswith("[parallelism: ") and found[-1] == "]"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            "apiVersion: kubescheduler.config.k8s.io/v1beta3\nkind: KubeSchedulerConfiguration",
            'no kind "KubeSchedulerConfiguration" is registered for version '
            '"kubescheduler.config.k8s.io/v1beta3" in scheme '
            '"pkg/scheduler/apis/config/scheme/scheme.go:30"',
        ),
        (
            "apiVersion: kubescheduler.config.k8s.io/v1",
            "Object 'Kind' is missing in '{\"apiVersion\":\"kubescheduler.config.k8s.io/v1\"}'",
        ),
    ],
)
def test_what_is_no_configuration(data: str, why: str) -> None:
    with pytest.raises(ConfigError) as failure:
        parse(data)
    assert str(failure.value) == why


ARGUMENTS = [
    (
        "DefaultPreemption",
        "{minCandidateNodesPercentage: 101}",
        f"minCandidateNodesPercentage: Invalid value: 101: {RANGE} [0, 100]",
    ),
    (
        "DefaultPreemption",
        "{minCandidateNodesAbsolute: -1}",
        f"minCandidateNodesAbsolute: Invalid value: -1: {RANGE} [0, inf)",
    ),
    (
        "InterPodAffinity",
        "{hardPodAffinityWeight: 200}",
        f"hardPodAffinityWeight: Invalid value: 200: {RANGE} [0, 100]",
    ),
    (
        "NodeResourcesBalancedAllocation",
        "{resources: [{name: cpu, weight: 2}]}",
        "resources[0].weight: Invalid value: 2: must be 1",
    ),
    (
        "PodTopologySpread",
        "{defaultConstraints: [{topologyKey: z, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway}]}",
        'defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
    ),
    (
        "PodTopologySpread",
        "{defaultingType: Some}",
        'defaultingType: Unsupported value: "Some": supported values: "System", "List"',
    ),
    (
        "PodTopologySpread",
        "{defaultingType: List, defaultConstraints: [{topologyKey: z, maxSkew: 0, "
        "whenUnsatisfiable: ScheduleAnyway}]}",
        f"defaultConstraints[0].maxSkew: Invalid value: 0: {RANGE} (0, inf)",
    ),
    (
        "PodTopologySpread",
        "{defaultingType: List, defaultConstraints: [{topologyKey: z, maxSkew: 1, "
        "whenUnsatisfiable: ScheduleAnyway, labelSelector: {}}]}",
        "defaultConstraints[0].labelSelector: Forbidden: "
        "constraint must not define a selector, as they deduced for each pod",
    ),
    (
        "VolumeBinding",
        "{bindTimeoutSeconds: -1}",
        "bindTimeoutSeconds: Invalid value: -1: "
        "invalid BindTimeoutSeconds, should not be a negative value",
    ),
    (
        "NodeAffinity",
        "{addedAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
        "[{matchExpressions: [{key: a, operator: Is}]}]}}}",
        "addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
        '.matchExpressions[0].operator: Unsupported value: "Is": supported values: '
        '"DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"',
    ),
]


@pytest.mark.parametrize(("plugin", "args", "why"), ARGUMENTS)
def test_what_arguments_may_not_say(plugin: str, args: str, why: str) -> None:
    text = f"profiles: [{{pluginConfig: [{{name: {plugin}, args: {args}}}]}}]"
    assert refusal(text) == f"profiles[0].pluginConfig[0].args.{why}"


@pytest.mark.parametrize(
    ("strategy", "why"),
    [
        (
            "{type: Most}",
            'type: Unsupported value: "Most": supported values: "LeastAllocated", '
            '"MostAllocated", "RequestedToCapacityRatio"',
        ),
        (
            "{resources: [{name: cpu, weight: 101}]}",
            f"resources[0].weight: Invalid value: 101: resource weight of cpu {RANGE} (0, 100]",
        ),
        (
            "{type: RequestedToCapacityRatio}",
            "requestedToCapacityRatio: Required value: "
            "must be specified when type is RequestedToCapacityRatio",
        ),
        (
            "{requestedToCapacityRatio: {shape: [{utilization: 0, score: 0}]}}",
            "requestedToCapacityRatio: Forbidden: "
            "must be nil when type is not RequestedToCapacityRatio",
        ),
        (
            "{type: RequestedToCapacityRatio, requestedToCapacityRatio: {shape: "
            "[{utilization: 50, score: 0}, {utilization: 50, score: 10}]}}",
            "requestedToCapacityRatio.shape[1].utilization: Invalid value: 50: "
            "values must be sorted in increasing order",
        ),
        (
            "{type: RequestedToCapacityRatio, requestedToCapacityRatio: {shape: "
            "[{utilization: 0, score: 11}]}}",
            f"requestedToCapacityRatio.shape[0].score: Invalid value: 11: {RANGE} [0, 10]",
        ),
    ],
)
def test_the_strategy_is_looked_at_when_its_plugin_is_made(strategy: str, why: str) -> None:
    with pytest.raises(ConfigError) as failure:
        framework(
            f"pluginConfig: [{{name: NodeResourcesFit, args: {{scoringStrategy: {strategy}}}}}]"
        )
    where = "initializing profiles: creating profile for scheduler name default-scheduler: "
    plugin = 'initializing plugin "NodeResourcesFit": scoringStrategy.'
    assert str(failure.value) == f"{where}{plugin}{why}"


def test_arguments_are_decoded_strictly() -> None:
    text = "profiles: [{pluginConfig: [{name: NodeResourcesFit, args: {strategy: {}}}]}]"
    assert refusal(text) == (
        "strict decoding error: decoding .profiles[0].pluginConfig[0]: strict decoding error: "
        "decoding args for plugin NodeResourcesFit: strict decoding error: "
        'unknown field "strategy"'
    )
    text = "profiles: [{pluginConfig: [{name: NodeAffinity, args: {kind: VolumeBindingArgs}}]}]"
    assert refusal(text) == (
        "decoding .profiles[0].pluginConfig[0]: args for plugin NodeAffinity were not of type "
        "NodeAffinityArgs.kubescheduler.config.k8s.io, got "
        "VolumeBindingArgs.kubescheduler.config.k8s.io"
    )


def test_extenders_are_refused_and_not_ignored() -> None:
    assert "extenders" in refusal("extenders: [{urlPrefix: 'http://10.0.0.9'}]")


# -- what arguments do


def test_a_profiles_arguments_decide(node: Any, pod: Any) -> None:
    text = (
        "pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: MostAllocated}}}]"
    )
    nodes = [node("small", cpu="2", memory="2Gi"), node("large", cpu="8", memory="8Gi")]
    asked = pod(cpu="1", memory="1Gi")
    assert explain(asked, nodes, profile=profile("schedulerName: x")).best == ("large",)
    assert explain(asked, nodes, profile=profile(text)).best == ("small",)


def test_default_constraints_can_be_hard(node: Any, pod: Any) -> None:
    from k8slab.api import load

    text = (
        "pluginConfig: [{name: PodTopologySpread, args: {defaultingType: List, "
        "defaultConstraints: [{topologyKey: zone, maxSkew: 1, whenUnsatisfiable: DoNotSchedule}]}}]"
    )
    service: Any = load(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"app": "web"}},
        }
    )
    nodes = [node("a", labels={"zone": "1"}), node("b", labels={"zone": "2"})]
    there = pod("there", labels={"app": "web"}, nodeName="a")
    asked = pod("new", labels={"app": "web"})
    told = explain(asked, nodes, [there], services=[service], profile=profile(text))
    assert told.feasible == ("b",)
    assert told.nodes["a"].plugin == "PodTopologySpread"
