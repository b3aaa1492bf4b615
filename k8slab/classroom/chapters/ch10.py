"""The questions of chapter 10, From selector to EndpointSlice.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Question, choice_of

CHAPTER = Chapter(
    number="10",
    title="From selector to EndpointSlice",
    warm_up=(
        choice_of(
            "10.selected",
            "What makes a Pod a member of a Service?",
            "It bears every label of the selector, in the Service's namespace",
            "A Service knows no Deployment and no names. It asks for labels, and the controller "
            "looks again at each change.",
            {
                "Its Deployment has the same name": (
                    "Names mean nothing to a selector. A Pod that nobody owns may be a member.",
                    6,
                ),
                "It was created after the Service": (
                    "The order does not matter. A member may have been there for years.",
                    6,
                ),
            },
        ),
        choice_of(
            "10.named",
            "A Service says `port: 80` and `targetPort: 8080`. Which of them is the container's?",
            "8080: the number on which the process listens",
            "80 belongs to the Service's own address. What a packet is rewritten to is the "
            "targetPort.",
            {
                "80: it is the port of the application": (
                    "80 is what clients write. The process may listen on any number: the "
                    "targetPort says which.",
                    7,
                ),
                "Both: they must be equal": (
                    "They often are, by habit. If targetPort is left out, it is the same number.",
                    7,
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "10.lamps",
            "A Pod is being deleted and still answers its readiness probe. What does its row say?",
            "Not ready, serving, terminating",
            "ready means: new connections are welcome. They are not, so it is out, while serving "
            "says that the process could still answer.",
            {
                "Ready, serving, terminating": (
                    "ready is the one word for who gets new connections. Somebody who leaves gets "
                    "none.",
                    17,
                ),
                "Nothing: its row is gone": (
                    "The row stays until the Pod is gone, so that open connections and last "
                    "resorts know where it is.",
                    17,
                ),
            },
        ),
        choice_of(
            "10.hundred",
            "Why are the addresses of one Service cut into slices of a hundred?",
            "A change sends one slice to every node, and not the whole list",
            "Each kube-proxy watches the slices. With one list of 5,000 addresses, each Pod that "
            "comes or goes would send 5,000 of them to every node.",
            {
                "A node can hold no more than about a hundred Pods": (
                    "That a node takes 110 Pods is another limit. A slice has Pods of all nodes."
                ),
                "An iptables chain takes a hundred rules": (
                    "Chains have no such limit. The slices of a Service become one chain."
                ),
            },
        ),
        choice_of(
            "10.writer",
            "A Service has no selector. Who writes its EndpointSlices?",
            "Whoever knows the addresses: you, or a program of yours",
            "The controller has nothing to look for, so it leaves such a Service alone. Everybody "
            "downstream believes the slices, whoever wrote them.",
            {
                "The controller: one slice with every Pod": (
                    "No selector selects nothing. An empty selector that catches everything is "
                    "what other kinds have, not Services."
                ),
                "kube-proxy, when the first packet comes": (
                    "kube-proxy only reads slices. It does not see packets at all.",
                    2,
                ),
            },
        ),
    ),
    predictions=(
        choice_of(
            "10.row",
            "Three cabs are free. The readiness probe of one begins to fail. What becomes of its "
            "row in the list?",
            "It stays, and says: not ready",
            "The row is about a Pod that exists. Whether it gets calls is a lamp in the row.",
            {
                "It is taken out": (
                    "So it looks in pictures. In truth readers are told of the Pod, and that it is "
                    "not ready: some of them want to know.",
                    9,
                ),
                "It moves to a new cab, which the ReplicaSet makes": (
                    "Failing readiness makes nobody act but the list. The Pod goes on, and no "
                    "replica is missing.",
                    10,
                ),
            },
        ),
        choice_of(
            "10.leaving",
            "A cab is deleted. For ten seconds it goes on answering (preStop). What does its row "
            "say in these seconds?",
            "Not ready, serving, terminating",
            "The deletion puts ready out at once: no new calls. The probe still succeeds, so it is "
            "serving, and terminating says why it is not ready.",
            {
                "Nothing: the row is gone at once": (
                    "It goes when the Pod goes. Until then it can be a last resort, if all others "
                    "are on their way out, too.",
                    17,
                ),
                "Ready: it still answers": (
                    "Then it would get new calls in its last seconds, and the last of them would "
                    "be cut off.",
                    17,
                ),
                "Not ready, not serving, terminating": (
                    "serving is what the probe says, deletion or not. The process still answers."
                ),
            },
        ),
        choice_of(
            "10.two",
            "The night shift comes: the same label, a port that is called `http` as well, and 8080 "
            "behind it instead of 80. What do the slices of `calls` look like?",
            "Two slices: one says 80, the other 8080",
            "The ports of a slice hold for all of its rows. The name is looked up in each Pod, and "
            "Pods with other numbers get a slice of their own.",
            {
                "One slice: each row has its own port": (
                    "It would be possible, and it is not so: ports stand once for the whole slice.",
                    7,
                ),
                "One slice: the night shift is left out": (
                    "The Service asks for a port called http, and they have one. Which number is "
                    "behind it may differ from Pod to Pod.",
                    7,
                ),
            },
        ),
        Question(
            key="10.many",
            text="A fleet of 250 Pods stands behind one Service, all with the same port. Into how "
            "many slices are they cut?",
            kind="number",
            unit="slices",
            because="At most a hundred rows fit into one, so it takes three. How full each of them "
            "is depends on who was ready when.",
        ),
        choice_of(
            "10.shrink",
            "The fleet shrinks from 250 Pods to 150. How are the rows spread over slices now?",
            "As it happens: each row stays in the slice in which it was",
            "A slice loses the rows of Pods that go, and keeps the others where they are. To fill "
            "up one slice from another would mean two writes that help nobody.",
            {
                "100 and 50: the slices are filled up again": (
                    "To repack them, rows would have to move, and every node would hear of slices "
                    "in which nothing is new."
                ),
                "50, 50 and 50, to be fair": (
                    "Nobody evens them out. How many are left in each depends on who went."
                ),
            },
        ),
        choice_of(
            "10.change",
            "One Pod of the 250 stops being ready. What does each node's kube-proxy get to read?",
            "The slice in which the Pod is",
            "An update carries the whole object. Here that is a slice of at most a hundred rows, "
            "and the other slices are not sent.",
            {
                "The one row that changed": (
                    "Watches send objects, never parts of them. The smallest thing that can be "
                    "sent is the slice."
                ),
                "All 250 rows": (
                    "That was so with Endpoints, the older kind, which keeps all addresses of a "
                    "Service in one object."
                ),
            },
        ),
        choice_of(
            "10.nobody",
            "You create a Service without a selector. What does the controller do?",
            "Nothing",
            "It has no question to ask. Slices of this Service are somebody else's business.",
            {
                "It creates an empty slice": (
                    "It does so for a Service whose selector catches nobody. Without a selector it "
                    "keeps its hands off."
                ),
                "It puts all Pods of the namespace into a slice": (
                    "Elsewhere an empty selector selects everything, for a Service nothing."
                ),
            },
        ),
        choice_of(
            "10.typo",
            "The two cabs of the night shift call their port `htpp` by mistake. All five are "
            "ready, all have the label. What does a customer notice?",
            "Nothing: each call is answered, by the other three",
            "Those with the wrong name stand in a slice that has no ports. No rule leads to them, "
            "so nobody is sent there.",
            {
                "Two of five calls are refused": (
                    "Then packets would have to be sent there. Without a port there is nothing to "
                    "send them to.",
                    7,
                ),
                "All calls are refused": (
                    "The other three have a port of the right name, and they answer."
                ),
                "Nothing, because a number is used if the name is not found": (
                    "There is no such fall-back. A name that a Pod lacks leads nowhere.",
                    7,
                ),
            },
        ),
    ),
)
