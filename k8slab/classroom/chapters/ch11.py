"""The questions of chapter 11, From EndpointSlice to network rules.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Question, choice_of

CHAPTER = Chapter(
    number="11",
    title="From EndpointSlice to network rules",
    warm_up=(
        choice_of(
            "11.reader",
            "Who reads EndpointSlices?",
            "kube-proxy on every node, and the DNS server",
            "They watch slices and never look at selectors or Pods. What the slice says is so.",
            {
                "The kubelet, to start the Pods in them": (
                    "The kubelet reads Pods. It starts them whether a Service knows them or not.",
                    6,
                ),
                "Only its own controller": "Nobody would write a list that nobody reads.",
            },
        ),
        choice_of(
            "11.unready",
            "A row says ready: false. Does a new connection go there?",
            "No, as long as somebody else is ready",
            "ready means: new connections are welcome. Rules are written for those rows.",
            {
                "Yes, its Pod is Running": (
                    "Running is the phase. Whether it gets connections is a lamp in its row.",
                    9,
                ),
                "Yes, but it is refused there": (
                    "The packet would have to be sent there first, and no rule does so.",
                    18,
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "11.what",
            "What is a ClusterIP?",
            "A number that the rules of every node look for, with a port and a protocol",
            "Nobody owns it, and nobody listens there. A packet to it is rewritten before it "
            "leaves its node.",
            {
                "The address of kube-proxy": (
                    "kube-proxy writes rules. No packet of a Service is ever addressed to it.",
                    2,
                ),
                "The address of a small load balancer in the cluster": (
                    "There is no such machine. That is why nothing answers a ping.",
                    1,
                ),
            },
        ),
        choice_of(
            "11.third",
            "Three rules say 0.3333333333, 0.5000000000, and nothing. What does the third get?",
            "A third of the connections",
            "2/3 come past the first rule, half of them past the second: 1/3 is left.",
            {
                "All of them": (
                    "It takes all that come to it. Two thirds never do.",
                    4,
                ),
                "Half of them": (
                    "0.5 is the chance of the second rule, for what the first one left.",
                    4,
                ),
            },
        ),
        choice_of(
            "11.kernel",
            "kube-proxy has been dead for an hour. What about a Service that has existed for days?",
            "It works, with the endpoints of an hour ago",
            "The rules are in the kernel, and it goes on following them. Nobody changes them.",
            {
                "It is refused": (
                    "A refusal is a rule as well, and nobody is there to write it.",
                    2,
                ),
                "It times out": (
                    "Packets do not pass kube-proxy. The kernel rewrites them as before.",
                    2,
                ),
            },
        ),
    ),
    predictions=(
        choice_of(
            "11.ping",
            "The Service `calls` answers HTTP at its ClusterIP. You ping that address. What comes "
            "back?",
            "Nothing",
            "Rules look for the address together with TCP and port 80. No rule matches a ping, no "
            "machine has the address, and the packet is lost on its way.",
            {
                "A reply from one of the Pods": (
                    "For that the ping would have to be rewritten, and the rules ask for TCP.",
                    1,
                ),
                "A reply from the Service": (
                    "A Service is an object in etcd. It has no network card.",
                    1,
                ),
            },
        ),
        choice_of(
            "11.draws",
            "Three cabs are ready. You send twelve calls, one after the other. How are they "
            "handed out?",
            "At random: one may get two in a row, and one may get six",
            "For each new connection the kernel throws dice. Over many connections it evens out.",
            {
                "In turn: each gets every third": (
                    "That would need a counter. The rules say `--mode random`.",
                    3,
                    "Services take turns",
                ),
                "To the cab that has the fewest calls": (
                    "The kernel does not know how busy a Pod is.",
                    3,
                ),
            },
        ),
        Question(
            key="11.first",
            text="With three endpoints, what probability does the first rule have?",
            kind="number",
            tolerance=0.01,
            because="It takes its share of all, a third. The second takes half of what is left, "
            "and the last has no probability: it takes the rest.",
        ),
        choice_of(
            "11.stopped",
            "Every kube-proxy is stopped. You call `http://calls`. What happens?",
            "It is answered, as before",
            "kube-proxy has written rules. The kernel follows them, with or without their writer.",
            {
                "It is refused": (
                    "Packets do not go through kube-proxy, so nobody is missing on the way.",
                    2,
                ),
                "It waits, and times out": (
                    "The rules are in the kernel. They do not go with the process that wrote them.",
                    2,
                ),
            },
        ),
        choice_of(
            "11.stale",
            "kube-proxy is still stopped, and the fleet shrinks from three cabs to one. What do "
            "customers notice?",
            "About two of three calls fail",
            "The rules still name three addresses. Two of them belong to nobody any more.",
            {
                "Nothing: the slice has only one address now": (
                    "The slice has. Nobody has turned it into rules.",
                    2,
                ),
                "All calls fail": (
                    "The third rule leads to a Pod that is still there.",
                    2,
                ),
            },
        ),
        choice_of(
            "11.empty",
            "The fleet has no cab left. kube-proxy is back. What does a customer get?",
            "A refusal at once",
            "For a port without endpoints kube-proxy writes one rule into the filter table: "
            "REJECT. That is an answer, and it is quick.",
            {
                "Silence, and then a time-out": (
                    "So it would be without any rule. kube-proxy writes one, to spare you that.",
                    18,
                ),
                "The name is not found": (
                    "DNS still answers with the ClusterIP. Names do not depend on endpoints.",
                    18,
                ),
            },
        ),
        choice_of(
            "11.deleted",
            "Somebody deletes one line on the customer's node: the DNAT of the endpoint that is "
            "tried first, of three. What does the customer notice?",
            "Nothing: the other two get its calls",
            "A chain that ends without a verdict returns to the line after the jump. There the "
            "next dice are thrown, for two.",
            {
                "One call in three times out": (
                    "Then the packet would have to leave the chain. It comes back instead, and "
                    "reads on.",
                    4,
                ),
                "All calls fail": (
                    "The other two chains are as they were, and the dice lead there.",
                    4,
                ),
            },
        ),
        choice_of(
            "11.last",
            "Now the DNAT of the endpoint that is tried last is deleted, too. And now?",
            "About half of the calls time out",
            "What comes back from the last line finds no other. The packet keeps the Service's "
            "address, and nobody is there.",
            {
                "Nothing: the one that is left gets all calls": (
                    "It is tried before the last one. Nobody sends a packet up again.",
                    4,
                ),
                "About half of the calls are refused": (
                    "To refuse is a rule as well, and it is written for Services without "
                    "endpoints.",
                    18,
                ),
            },
        ),
    ),
)
