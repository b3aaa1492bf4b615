"""How long a packet takes, and how long a kernel waits: one table of named constants.

Times are virtual seconds. Wires have a fixed delay and no bandwidth; queues never build up.

Rule of use: no other module of this package spells out a duration.

Upstream: Linux net/ipv4/tcp_timer.c, net/netfilter/nf_conntrack_proto_tcp.c, net/core/neighbour.c
"""

# -- wires

LOOPBACK = 10e-6  # s, lo
VETH = 20e-6  # s, one veth pair, with the bridge that it may hang on
ETHERNET = 200e-6  # s, from node to node

# -- TCP (Documentation/networking/ip-sysctl.rst names the settings)

SYN_TIMEOUT = 1.0  # s, before the first retransmission of a SYN; doubles
SYN_RETRIES = 6  # net.ipv4.tcp_syn_retries: ETIMEDOUT after 1+2+4+8+16+32+64 = 127 s
DATA_TIMEOUT = 0.2  # s, the least retransmission time-out; doubles
DATA_TIMEOUT_MAX = 120.0  # s
DATA_RETRIES = 15  # net.ipv4.tcp_retries2: ETIMEDOUT after about 15 minutes
DELAYED_ACK = 0.04  # s, a reply sent sooner carries the acknowledgement
FIN_TIMEOUT = 60.0  # s, net.ipv4.tcp_fin_timeout
BACKLOG = 4096  # connections waiting for accept, net.core.somaxconn
EPHEMERAL_PORTS = range(32768, 61000)  # net.ipv4.ip_local_port_range

# -- SCTP (net.sctp.*)

RTO_INITIAL, RTO_MIN, RTO_MAX = 3.0, 1.0, 60.0  # s, before a retransmission; doubles
MAX_INIT_RETRANSMITS = 8
ASSOCIATION_MAX_RETRANS = 10
SACK_DELAY = 0.2  # s, sack_timeout
HEARTBEAT_INTERVAL = 30.0  # s, hb_interval

# -- neighbours

NEIGHBOUR_TIMEOUT = 3.0  # s, three ARP requests one second apart, then EHOSTUNREACH

# -- ping

PING_TIMEOUT = 1.0  # s, how long ping waits for one answer

# -- connection tracking, seconds by state: net.netfilter.nf_conntrack_*_timeout

CONNTRACK = {
    "SYN_SENT": 120.0,
    "SYN_RECV": 60.0,
    "ESTABLISHED": 432000.0,  # kube-proxy sets 86400: --conntrack-tcp-timeout-established
    "FIN_WAIT": 120.0,
    "CLOSE_WAIT": 60.0,  # kube-proxy sets 3600: --conntrack-tcp-timeout-close-wait
    "LAST_ACK": 30.0,
    "TIME_WAIT": 120.0,
    "CLOSE": 10.0,
    "UDP": 30.0,
    "UDP_STREAM": 120.0,
    "ICMP": 30.0,
    "SCTP_CLOSED": 10.0,
    "SCTP_COOKIE_WAIT": 3.0,
    "SCTP_COOKIE_ECHOED": 3.0,
    "SCTP_ESTABLISHED": 210.0,
    "SCTP_SHUTDOWN_SENT": 3.0,
    "SCTP_SHUTDOWN_RECD": 3.0,
    "SCTP_SHUTDOWN_ACK_SENT": 3.0,
    "SCTP_HEARTBEAT_SENT": 30.0,
}
