"""The questions of chapter 01, The cast: control plane and worker node.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Choice, Question, choice_of

MANAGER, SCHEDULER = "controller manager", "scheduler"
KUBELET, PROXY = "kubelet of a worker", "kube-proxy"
LIGHTS = (Choice(MANAGER), Choice(KUBELET), Choice(PROXY), Choice(SCHEDULER))

CHAPTER = Chapter(
    number="01",
    title="The cast: control plane and worker node",
    warm_up=(
        choice_of(
            "01.told",
            "A Pod gets a node. How does that node's kubelet learn of it?",
            "It watches the API server, which tells it",
            "The choice is written at the API server, and whoever watches such Pods is told. "
            "Nobody calls anybody else.",
            {
                "The scheduler calls it": (
                    "The scheduler writes its choice at the API server and is done. It does not "
                    "even know the kubelet's address."
                ),
                "The ReplicaSet starts it there": (
                    "A ReplicaSet is a written wish. Its controller writes Pods, and never learns "
                    "on which node they run."
                ),
            },
        ),
        choice_of(
            "01.wish",
            "`kubectl apply` says `created`. What is so at that moment?",
            "The object is written down, and nothing more",
            "The answer comes when the API server has stored the object. Whoever has to act on it "
            "is told after that.",
            {
                "The Pods run": (
                    "They come later: `created` speaks of the object that you sent. "
                    "Running and ready are two different things again.",
                    9,
                ),
                "A node has been chosen for each Pod": (
                    "The Pods do not even exist yet: a controller has to write them first."
                ),
            },
        ),
    ),
    ticket=(
        choice_of(
            "01.proxy-network",
            '"kube-proxy makes sure that every Pod can talk to every other Pod." Is that so?',
            "No: the network plugin does; kube-proxy writes rules for Services",
            "Stop kube-proxy, and Pods still reach each other by their addresses. Only Services "
            "stop following what changes.",
            {
                "Yes: without kube-proxy no Pod is reached": (
                    "You stopped it, and Pods were reached at their own addresses, and the old "
                    "Service as well. kube-proxy writes rules; the kernel uses them.",
                    2,
                ),
                "No: the kubelets pass packets on to each other": (
                    "A kubelet touches no packet of yours. The kernel forwards them, along routes "
                    "that the network plugin has set."
                ),
            },
        ),
        choice_of(
            "01.etcd-forgets",
            "etcd is down for ten minutes. What does Kubernetes forget?",
            "Nothing; it can neither be read nor changed until etcd is back",
            "The objects lie on etcd's disk. Meanwhile nothing new can be decided, and everything "
            "that runs goes on running.",
            {
                "Everything that was written since etcd started": (
                    "etcd writes to disk before it answers. When it comes back, the last revision "
                    "is there."
                ),
                "The Pods: their nodes stop them": (
                    "A kubelet that hears nothing keeps what it has. Silence is no order to stop."
                ),
            },
        ),
        choice_of(
            "01.scheduler-writes",
            "What does the scheduler write when it has chosen a node?",
            "A Binding, by which the API server sets `spec.nodeName`",
            "One field of the spec, once for each Pod. Whatever happens on the node is reported by "
            "its kubelet, in the status.",
            {
                "The status of the Pod: Running": (
                    "How a Pod is, its kubelet says. At that moment nothing has started, and the "
                    "phase is Pending.",
                    9,
                ),
                "An order to the kubelet of the node": (
                    "There are no such orders. The kubelet sees the Pod with its node's name at "
                    "the API server."
                ),
            },
        ),
    ),
    predictions=(
        Question(
            key="01.scale",
            text="Which parts act on `kubectl scale deployment web --replicas=4`?",
            kind="set",
            choices=LIGHTS,
            actual=(MANAGER, KUBELET, SCHEDULER),
            because="The controller manager writes two Pods, the scheduler gives them nodes, the "
            "kubelets run them. There is no Service yet, so kube-proxy has no rule to write.",
        ),
        Question(
            key="01.expose",
            text="Which parts act on `kubectl expose deployment web`?",
            kind="set",
            choices=LIGHTS,
            actual=(MANAGER, PROXY),
            because="A Service is not a process: nothing is placed and nothing starts. The "
            "controller manager lists its Pods, and each kube-proxy writes rules from the list.",
        ),
        choice_of(
            "01.get",
            "You run `kubectl get pods`. Whom does kubectl ask?",
            "The API server only",
            "What you see is what is written down there. The kubelets reported it earlier, on "
            "their own account; nobody is asked now.",
            {
                "The API server, which asks every kubelet": (
                    "Then the command would hang with each broken node. It shows the last report, "
                    "which may be old: you will see that below."
                ),
                "etcd, where the Pods are stored": (
                    "etcd answers the API server and nobody else. kubectl has neither its address "
                    "nor the right to ask."
                ),
            },
        ),
        choice_of(
            "01.binding",
            "The scheduler has chosen worker-2 for a new Pod. To which box does it send its "
            "choice?",
            "kube-apiserver",
            "It posts a Binding: this Pod, that node. The API server sets one field, "
            "`spec.nodeName`, and tells the kubelet of that node.",
            {
                "kubelet/worker-2": (
                    "Not component to component: the scheduler writes, and the kubelet learns of "
                    "it from the API server."
                ),
                "etcd": (
                    "The choice ends up there, and yet only the API server speaks to the store."
                ),
                "containerd/worker-2": (
                    "A runtime takes orders from the kubelet of its own machine, and from nobody "
                    "else."
                ),
            },
        ),
        choice_of(
            "01.etcd",
            "etcd stops. What becomes of the shop, and of `kubectl get pods`?",
            "The shop answers; kubectl gets an error",
            "No Pod and no rule needs etcd to go on. But nothing can be read or changed at the API "
            "server without its store.",
            {
                "Both go on: the API server remembers": (
                    "The API server keeps copies, and yet it promises the newest state. Without "
                    "etcd it cannot know what that is, so it says so."
                ),
                "Both fail: the cluster is down": (
                    "The control plane decides; it is in nobody's path. The client's packets go "
                    "from kernel to kernel as before."
                ),
                "The shop fails; kubectl shows why": (
                    "The other way round. What runs needs no control plane, and looking needs "
                    "nothing else."
                ),
            },
        ),
        Question(
            key="01.same",
            text="etcd is back after half a minute. How many of the shop's Pods are the same ones?",
            kind="number",
            unit="Pods",
            because="All of them, with their names, addresses and identities. Nothing was "
            "forgotten, because nothing but etcd had stopped.",
        ),
        choice_of(
            "01.crash",
            "The API server is stopped, and a container crashes on worker-1. What follows?",
            "The kubelet of worker-1 starts it again at once",
            "The kubelet has the Pod in memory and its runtime beside it. It asks nobody for leave "
            "to restart; only its report has to wait.",
            {
                "It stays down until the API server is back": (
                    "That would hold for a new Pod. Restarting a container of a Pod that the node "
                    "already has is the kubelet's own business."
                ),
                "The ReplicaSet makes another Pod elsewhere": (
                    "Its controller hears nothing and can write nothing. And it replaces Pods, "
                    "not containers.",
                    14,
                ),
            },
        ),
        Question(
            key="01.down",
            text="Seven parts are stopped, one at a time. How often does the address of the old "
            "Service stop answering?",
            kind="number",
            unit="times",
            because="Never. The rules are in the kernels and the processes run on. A control plane "
            "that is down means no change; it does not mean no service.",
        ),
        choice_of(
            "01.symptom",
            "Which part is missing?",
            "controller manager",
            "The wish for four is written down, so API server and etcd are well. Two Pods are "
            "missing, and nobody has written them: that is a controller's work.",
            {
                "etcd": "Then your command would have got an error. It was accepted and stored.",
                "kubelet of a worker": (
                    "A kubelet starts Pods that exist. Here the Pods themselves are missing."
                ),
                "scheduler": (
                    "Then there would be four Pods, two of them Pending and without a node. Count "
                    "the Pods."
                ),
            },
        ),
    ),
)
