"""The questions of chapter 07, Names: cluster DNS.

Rule of use: data only.

Upstream: none
"""

from k8slab.classroom.chapters import Chapter
from k8slab.classroom.questions import Choice, Question, choice_of

DOMAIN = "svc.cluster.local"

CHAPTER = Chapter(
    number="07",
    title="Names: cluster DNS",
    warm_up=(
        choice_of(
            "07.stay",
            "A Pod is replaced. What of its Service stays the same?",
            "The Service's name and its ClusterIP",
            "They belong to the Service. The list of endpoints behind them changes.",
            {
                "The address of the Pod": (
                    "The new Pod has another. That is why there are Services.",
                    14,
                ),
                "Nothing: clients have to look it up anew": (
                    "Clients may keep the ClusterIP for as long as the Service lives.",
                    6,
                ),
            },
        ),
        choice_of(
            "07.namespace",
            "Two Services are both called `web`. Can that be?",
            "Yes, in two namespaces",
            "A name must be the only one of its kind in its namespace. DNS names have the "
            "namespace in them.",
            {
                "No: names of Services are unique in the cluster": (
                    "They are unique in a namespace. Two teams may both have a `web`.",
                    19,
                ),
                "Yes, on two nodes": "A Service is on no node: it is an object, and rules on all.",
            },
        ),
    ),
    ticket=(
        choice_of(
            "07.short",
            "A Pod in namespace `default` asks for `db`, and the Service `db` is in namespace "
            "`shop`. What does it get?",
            "No such name",
            "The search begins in the Pod's own namespace. `db.shop` would be found.",
            {
                "The address: names are known in the whole cluster": (
                    "Short names are completed with the Pod's own namespace.",
                    19,
                ),
                "A refusal: it may not see other namespaces": (
                    "DNS tells everybody everything. Namespaces are no walls.",
                    19,
                ),
            },
        ),
        choice_of(
            "07.headless",
            "A client looks up a headless Service with three ready Pods. What does it get?",
            "The addresses of the three Pods",
            "Headless means that there is no address in front. The client chooses, and must use "
            "the Pods' own port.",
            {
                "One address, behind which the three are": (
                    "That is the ClusterIP, which a headless Service does not have.",
                    20,
                ),
                "Nothing, since it has no ClusterIP": (
                    "DNS answers with what is there: the ready endpoints.",
                    20,
                ),
            },
        ),
        choice_of(
            "07.slow",
            "A Pod asks for `example.com` a thousand times a minute, and DNS is busy. Why eight "
            "questions each time?",
            "ndots is 5: the search list is tried first, for A and for AAAA",
            "Three search domains, then the name itself, each for two types of address. A dot at "
            "the end makes two of eight.",
            {
                "DNS in a cluster is slow": (
                    "Each answer takes less than a millisecond. It is the number of questions.",
                    19,
                ),
                "Each of eight CoreDNS Pods is asked": (
                    "The resolver asks one address, that of the Service kube-dns.",
                    19,
                ),
            },
        ),
    ),
    predictions=(
        Question(
            key="07.order",
            text="A Pod in namespace default asks for `db.shop`. Three search domains stand in its "
            "resolv.conf. Which of these names does the DNS server hear?",
            kind="set",
            choices=(
                Choice(f"db.shop.default.{DOMAIN}"),
                Choice(f"db.shop.{DOMAIN}"),
                Choice("db.shop.cluster.local"),
                Choice("db.shop"),
            ),
            actual=(f"db.shop.default.{DOMAIN}", f"db.shop.{DOMAIN}"),
            because="The search goes through the domains in order, and ends at the first name that "
            "exists. The second one does.",
        ),
        Question(
            key="07.count",
            text="And for `example.com`, which is outside: how many questions in all, A and AAAA "
            "counted apart?",
            kind="number",
            unit="questions",
            because="Four names, each asked for twice. `example.com` has one dot, fewer than the "
            "five of ndots, so it is tried last.",
        ),
        choice_of(
            "07.dns",
            "How does a question get from a Pod to the DNS server?",
            "As a packet to the ClusterIP of the Service kube-dns, rewritten on the Pod's node",
            "The name server of every Pod is an ordinary Service, with CoreDNS Pods behind it.",
            {
                "The kubelet of the node answers it": (
                    "The kubelet wrote the Pod's resolv.conf, once. It answers no questions."
                ),
                "Through the API server": (
                    "The API server knows the Services. CoreDNS watches it, and answers by itself."
                ),
            },
        ),
        choice_of(
            "07.stopped",
            "All Pods of CoreDNS are stopped. Which request still works?",
            "http:// and the ClusterIP of `web`",
            "Only names need CoreDNS. The rules for the address are in the node's kernel.",
            {
                "http://web, since the client has asked before": (
                    "This client asks anew each time, as most do. Nobody answers.",
                    18,
                ),
                "None: without DNS there is no network": (
                    "Packets go to addresses. DNS is a service like any other.",
                    18,
                ),
            },
        ),
        choice_of(
            "07.external",
            "The Service `partner` is an ExternalName for `api.partner.example`. Through which "
            "rule does a packet to it go?",
            "Through none: DNS answers with the other name, and the client goes there itself",
            "It is an alias and nothing else: no ClusterIP, no endpoints, no port.",
            {
                "A rule that rewrites its ClusterIP to the address outside": (
                    "It has no ClusterIP. kube-proxy does not even look at it.",
                    20,
                ),
                "Through CoreDNS, which passes it on": (
                    "CoreDNS answers questions. No packet of the request passes it.",
                    20,
                ),
            },
        ),
        Question(
            key="07.empty",
            text="The headless Service `crew` has three ready Pods. One of them fails its "
            "readiness probe. How many addresses does a look-up give, half a minute later?",
            kind="number",
            unit="addresses",
            because="CoreDNS reads the EndpointSlices, and gives the ready ones. Old answers are "
            "kept for up to 30 seconds.",
        ),
    ),
)
