"""The questions of chapter 12, One request, end to end.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Question, choice_of

CHAPTER = Chapter(
    number="12",
    title="One request, end to end",
    warm_up=(
        choice_of(
            "12.refused",
            "A name resolves, and the connection is refused at once. Which of these fits?",
            "The Service has no ready endpoint, and a rule says so",
            "An empty list becomes a rule that refuses. The name does not depend on the list.",
            {
                "The DNS server is down": (
                    "Then there would be no address to connect to. The name has done its work.",
                    18,
                ),
                "A rule drops the packets": (
                    "Whoever drops says nothing: the client waits until its time is up.",
                    18,
                ),
            },
        ),
        choice_of(
            "12.carries",
            "Who carries a packet from a client to a Pod of a Service?",
            "The kernel of the client's node, by rules that kube-proxy wrote",
            "kube-proxy writes down what to do, and goes back to its watch. Packets meet the "
            "rules, never the writer.",
            {
                "kube-proxy, which takes it and passes it on": (
                    "It did so long ago. Today you can stop it, and old Services go on.",
                    2,
                ),
                "The machine that has the ClusterIP": (
                    "No machine has it. It is a match in the rules of every node.",
                    1,
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "12.undone",
            "What rewrites the reply of a Pod, so that it seems to come from the Service?",
            "The connection's entry in conntrack, on the node that rewrote the request",
            "The first packet of a connection asks the rules, and the entry remembers what they "
            "said. All later packets, there and back, are rewritten by it.",
            {
                "A second rule of kube-proxy, for the way back": (
                    "There is none. Look at iptables-save: no rule mentions replies."
                ),
                "The Pod: it answers in the name of the Service": (
                    "A Pod knows nothing of Services in front of it. It answers from its own "
                    "address.",
                    1,
                ),
            },
        ),
        choice_of(
            "12.keep",
            "externalTrafficPolicy is Local. Somebody outside asks a node that has no Pod of the "
            "Service. What happens?",
            "The packets are dropped, and the caller waits in vain",
            "Local means: only endpoints of this node, with the caller's address kept. Load "
            "balancers ask healthCheckNodePort where it is worth while.",
            {
                "The node passes them on to another node": (
                    "So it is with Cluster, and the price is the caller's address."
                ),
                "They are refused": (
                    "kube-proxy refuses where a Service has no endpoint at all. Here it has some, "
                    "elsewhere.",
                    18,
                ),
            },
        ),
        choice_of(
            "12.share",
            "Three Pods stand behind a Service. Each of them fails in about one third of its calls "
            "to it, other clients never. What do you look at?",
            "Whether a bridge port may send back where it came from: hairpin",
            "One third is the share in which a Pod meets itself. Such a packet has to leave by the "
            "port that it came in by.",
            {
                "The readiness of the Pods": (
                    "A Pod that is not ready is called by nobody, and other clients have no "
                    "trouble.",
                    9,
                ),
                "DNS, which sometimes fails": (
                    "A name that fails, fails before any packet to the Service, and for every "
                    "client.",
                    18,
                ),
            },
        ),
    ),
    predictions=(
        choice_of(
            "12.sees",
            "The client, a Pod, asks `http://office`, and the rules choose a clerk. Whose address "
            "does the clerk see as the sender?",
            "The client's own",
            "Only the destination was rewritten. From Pod to Pod the sender stays who it is.",
            {
                "The ClusterIP of the office": (
                    "The ClusterIP was the destination, and nobody ever sends from it.",
                    1,
                ),
                "The node's, which passed it on": (
                    "Wait for callers from outside: theirs is replaced. Pods keep their own.",
                    2,
                ),
            },
        ),
        choice_of(
            "12.reply",
            "And the reply, when it arrives at the client: from which address does it come?",
            "From the ClusterIP of the office, port 80",
            "The client's kernel waits for an answer from where it wrote to. On the way back the "
            "node puts that address in again.",
            {
                "From the clerk's own, port 8080": (
                    "So the clerk sends it. A client would throw such a reply away: it has asked "
                    "somebody else."
                ),
                "From the node's": (
                    "The node rewrites, and does not put itself into this exchange.",
                    2,
                ),
            },
        ),
        choice_of(
            "12.book",
            "The client sent several packets: to connect, to ask, to close. Which of them went "
            "through kube-proxy's rules?",
            "The first one only",
            "The nat table is asked once for each connection. What it said is in the entry.",
            {
                "All that the client sent": (
                    "Then a connection could be torn apart, for the rules throw dice.",
                    5,
                ),
                "All, in both directions": (
                    "No rule is about replies. What is undone on the way back comes from the "
                    "entry.",
                    5,
                ),
            },
        ),
        choice_of(
            "12.outside",
            "Somebody outside the cluster asks `worker-1`, port 30080. Whose address does the "
            "clerk see as the sender?",
            "One of worker-1",
            "The node writes itself in as the sender. So the reply comes back through it, and can "
            "be turned into one that the caller expects.",
            {
                "The caller's own": (
                    "It could be kept if no other node came into it. By default the clerk may "
                    "stand anywhere."
                ),
                "The ClusterIP of the office": (
                    "Nobody sends from a ClusterIP, and this caller never wrote to it.",
                    1,
                ),
            },
        ),
        choice_of(
            "12.local",
            "`externalTrafficPolicy` becomes Local. The caller outside asks the control plane's "
            "node, on which no clerk stands. What happens?",
            "Nothing comes back, until the caller gives up",
            "There is nobody here, and passing it on would cost the caller's address. So the "
            "packet is dropped.",
            {
                "It is passed on to a clerk elsewhere": (
                    "That was Cluster. Local promises the caller's address, and pays with this."
                ),
                "The connection is refused": (
                    "A refusal says: the Service has no endpoint. It has three, on other nodes.",
                    18,
                ),
            },
        ),
        choice_of(
            "12.self",
            "A clerk asks the office, and the rules choose herself. Whose address does she see as "
            "the sender?",
            "One of her node",
            "Were it her own, her reply would never leave her: it would come from an address that "
            "nobody has asked. So this one is masqueraded.",
            {
                "Her own": (
                    "Then she would answer herself at once, from 8080, and wait for an answer from "
                    "the office for ever."
                ),
                "The ClusterIP of the office": ("Nobody sends from a ClusterIP.", 1),
            },
        ),
        Question(
            key="12.dials",
            text="A clerk listens on 8080, and no `containerPort` is written anywhere. The Service "
            "has port 80. You try targetPort 80 and 8080, and ask the Service at 80 and at 8080 "
            "each time. How many of the four calls are answered?",
            kind="number",
            unit="of 4",
            because="port is where the Service is asked, targetPort is where the process listens. "
            "Only 80 to 8080 fits both, and containerPort opens nothing.",
        ),
        choice_of(
            "12.inside",
            "The clerk `deaf` listens at 127.0.0.1:8080. Her own `wget` at localhost succeeds, she "
            "is ready, and her Service has her in its list. What does the client get?",
            "Refused",
            "The packet arrives, and at the Pod's own address nobody listens on that port. Her "
            "kernel says so at once.",
            {
                "An answer: it runs, and the list has it": (
                    "A list has addresses of Pods. It knows nothing of what listens in them.",
                    8,
                ),
                "No answer, until the client gives up": (
                    "Silence needs somebody who drops. Her kernel answers: no such port.",
                    18,
                ),
            },
        ),
        Question(
            key="12.third",
            text="One mode of the bridge ports is switched off: hairpin. Each of three clerks "
            "calls the office, 40 times. What share of their calls fails, in percent?",
            kind="number",
            unit="%",
            tolerance=9.0,
            because="Each call goes to one of three, and one of the three is the caller. Only that "
            "call has to leave by the port that it came in by.",
        ),
        choice_of(
            "12.flow",
            "kube-proxy stands still, and the only clerk is replaced. The client sends a note over "
            "UDP, from the same port as before. Where does it go?",
            "To the address of the clerk who is gone",
            "The rules are old, and the entry in the book is, too. Nobody answers there, and UDP "
            "does not complain.",
            {
                "To the new clerk": (
                    "Somebody would have to write that down on this node. That is kube-proxy.",
                    2,
                ),
                "Nowhere: it is refused": (
                    "A refusal needs a rule, or a machine that answers. There is neither.",
                    18,
                ),
            },
        ),
        choice_of(
            "12.back",
            "kube-proxy is back and writes new rules. The client has never stopped sending from "
            "that port, so its entry is alive. Where does the next note go?",
            "To the new clerk: kube-proxy deletes such entries",
            "New rules would not help, as they are asked for new flows only. So kube-proxy looks "
            "through conntrack after it has written, and deletes stale UDP flows.",
            {
                "To the new clerk: a new rule beats an old entry": (
                    "Rules of nat are asked for the first packet of a flow, and this one is old.",
                    5,
                ),
                "To the old one, as long as the client sends": (
                    "So it was, until kube-proxy learned to clean up. DNS clients were famous for "
                    "it.",
                    5,
                ),
            },
        ),
    ),
)
