"""The questions of chapter 14, Scale and other data planes.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Question, choice_of

CHAPTER = Chapter(
    number="14",
    title="Scale and other data planes",
    warm_up=(
        choice_of(
            "14.order",
            "How does a packet find the rules of its Service in KUBE-SERVICES?",
            "It meets one rule after the other until one matches",
            "A chain is a list, and a list is read from its top. So it matters how long it is.",
            {
                "kube-proxy tells it where to go": (
                    "kube-proxy wrote the rules and is not there when packets come.",
                    2,
                ),
                "The kernel knows the rule by the address": (
                    "Of a chain it does not. There are things in the kernel that work so, and they "
                    "are what this chapter is about."
                ),
            },
        ),
        choice_of(
            "14.slices",
            "One of 250 Pods stops being ready. How much of the list is sent to each node?",
            "The slice in which it is, a hundred rows at most",
            "A watch sends whole objects, so the list was cut into slices.",
            {
                "All 250 rows": (
                    "That was so with Endpoints. The other slices have not changed, so they are "
                    "not sent."
                ),
                "The row that changed": (
                    "The smallest thing that a watch can send is an object: the slice."
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "14.grows",
            "A cluster in nftables mode grows from 100 Services to 10,000. What does a packet "
            "notice?",
            "Nothing: the map has more elements, and is asked once",
            "The key is address, protocol and port together. However many keys there are, one "
            "look-up finds the chain.",
            {
                "It meets a hundred times as many rules": (
                    "That is what a list does. In this mode no rule names a Service."
                ),
                "It waits until kube-proxy has searched": (
                    "kube-proxy carries no packet and searches nothing.",
                    2,
                ),
            },
        ),
        choice_of(
            "14.period",
            "Somebody sets minSyncPeriod to 30s, to spare the nodes. What is the price?",
            "A change may reach the rules half a minute late",
            "Until then new connections are sent to Pods that are gone, and new Pods get none.",
            {
                "Each packet is delayed": (
                    "Packets meet the rules that are there. Only writing new ones waits.",
                    2,
                ),
                "There is none: changes are gathered": (
                    "They are gathered while they wait. Nobody learns of them before the write."
                ),
            },
        ),
        choice_of(
            "14.ipvs",
            "A team of yours runs kube-proxy in ipvs mode, on v1.37. What do you tell them?",
            "It works, it is deprecated, plan to move to nftables",
            "Deprecated since v1.35, off by default from v1.40, removed in v1.43. nftables was "
            "made to take its place.",
            {
                "It is the fastest mode, so stay": (
                    "It was made for speed when iptables was the only other mode. Nobody keeps it "
                    "up any more."
                ),
                "It does not start any more": (
                    "Not yet: in v1.37 it starts, and complains in its log."
                ),
            },
        ),
    ),
    predictions=(
        choice_of(
            "14.last",
            "A node has rules for 1,000 Services of three Pods each: 11,023 rules. A connection "
            "goes to the Service that stands last in the list. How many rules does its first "
            "packet meet?",
            "About 1,000",
            "One rule for each Service until its own, and a few that every packet meets. The "
            "chains of the other Services are never entered.",
            {
                "About 11,000": (
                    "Most rules stand in chains of their Services. A packet enters a chain only if "
                    "a rule sends it there."
                ),
                "About 10": (
                    "That would be a search by halves, or a look-up. A chain is read from its top."
                ),
                "About 500": (
                    "That is the average over all Services. This one is the last of the list."
                ),
            },
        ),
        choice_of(
            "14.map",
            "The same thousand Services in nftables mode. What does the packet meet now?",
            "As many rules as with three Services",
            "One rule asks a map for address, protocol and port. The map may have three elements "
            "or thirty thousand.",
            {
                "Half as many as with iptables": (
                    "It is not the same walk in quicker shoes. The list itself is gone."
                ),
                "Ten more: the map is searched by halves": (
                    "A good guess: many look-ups work so. This one is by a hash, and in any case "
                    "it is inside of one rule."
                ),
            },
        ),
        choice_of(
            "14.second",
            "The first packet of a connection has found its Pod, by iptables. How many rules of "
            "KUBE-SERVICES does the second packet of the same connection meet?",
            "None",
            "Translation is decided for a connection, by its first packet. The kernel remembers "
            "it, and rewrites the others without asking the table nat.",
            {
                "As many as the first": (
                    "Then each packet would be given to some Pod by its own throw of dice.",
                    5,
                ),
                "Fewer: the search goes on where it ended": (
                    "Nothing is searched again. What was decided is remembered with the connection."
                ),
            },
        ),
        Question(
            key="14.more",
            text="A Service has 100 Pods, in iptables mode. One connection draws the first Pod, "
            "another one the last. How many rules more does the second one meet?",
            kind="number",
            unit="rules",
            because="Each Pod but the last has a rule with dice. The last Pod's packet has met all "
            "of them, one more for each Pod.",
        ),
        choice_of(
            "14.writes",
            "A hundred Pods are deleted within half a second. minSyncPeriod is 1s, as usual. How "
            "often does each kube-proxy write rules?",
            "Twice: at once, and once more a second later",
            "The first change is written at once. What comes in the second after that is written "
            "together.",
            {
                "A hundred times": (
                    "That is how often the list changed. kube-proxy gathers what comes within its "
                    "period."
                ),
                "Never: Pods that are gone need no rules": (
                    "Their rules would stay, and send connections to nobody.",
                    17,
                ),
            },
        ),
        choice_of(
            "14.zone",
            "Three clerks, one in each zone. The Service says trafficDistribution: PreferSameZone. "
            "The writer is in zone-b and calls twelve times. Who answers?",
            "The clerk of zone-b, every time",
            "On a node of zone-b, the rules lead to that one endpoint. The others are not even "
            "written there.",
            {
                "All three, the near one more often": (
                    "It is no weight. Endpoints that are meant for other zones are left out."
                ),
                "All three alike": (
                    "So it would be without trafficDistribution.",
                    3,
                ),
            },
        ),
        choice_of(
            "14.away",
            "The only clerk of zone-b is deleted, and the next one starts in another zone. What do "
            "calls from zone-b get?",
            "Answers from other zones",
            "It is a preference. A zone without an endpoint of its own uses all of them.",
            {
                "Connection refused": (
                    "That would be a policy: internalTrafficPolicy: Local is one. A preference "
                    "never leaves a client without an answer.",
                    18,
                ),
                "Nothing, until a clerk is back in zone-b": (
                    "Nobody holds connections back. The rules lead to somebody, or they refuse."
                ),
            },
        ),
        choice_of(
            "14.storm",
            "Now minSyncPeriod is 0s, and the same hundred Pods are deleted. How often does each "
            "kube-proxy write rules?",
            "About twenty times, one write after the other",
            "Nothing is gathered but what comes while a write is under way, which takes 20 ms "
            "here. On a large node a write takes longer, and the node does little else.",
            {
                "Once": "One write for all would need somebody who waits. 0s means: do not.",
                "Twice, as before": (
                    "Before, a second had to pass between two writes. Nothing has to pass now."
                ),
            },
        ),
    ),
)
