"""One visual language: a colour and a shape for each component and for each state of a Pod.

`COMPONENTS` and `POD_STATES` are the tables; `LIGHT` and `DARK` say what the roles ("ink",
"paper", ...) are in each theme. `component_look` finds the row of a component that the trace
names, `text_on` the readable text colour on a fill.

Rule of use: a colour never speaks alone; draw the shape or write the word beside it. The palette
is Okabe and Ito's, which people with any colour vision can tell apart.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
GREY, DARK_GREY = "#999999", "#5F5F5F"
BLACK, WHITE = "#000000", "#FFFFFF"

WIDTH = 900.0  # px, of every figure
MARGIN = 20.0  # px, between the edge of a figure and what it shows
TITLE, BODY, SMALL = 17.0, 13.0, 11.0  # px, the only three sizes of letters


class Look(msgspec.Struct, frozen=True):
    """How one thing appears in every figure: the colour, the shape, and the words of the legend."""

    fill: str
    shape: str
    label: str


COMPONENTS: Mapping[str, Look] = {
    "you": Look(DARK_GREY, "ring", "you"),
    "kube-apiserver": Look(BLUE, "hexagon", "API server"),
    "etcd": Look(GREEN, "disc", "etcd"),
    "kube-scheduler": Look(ORANGE, "triangle", "scheduler"),
    "kube-controller-manager": Look(VERMILLION, "diamond", "controller manager"),
    "kubelet": Look(SKY, "square", "kubelet"),
    "kube-proxy": Look(PURPLE, "pentagon", "kube-proxy"),
    "containerd": Look(YELLOW, "bar", "containerd"),
    "kindnet": Look(GREY, "plus", "kindnet"),
    "coredns": Look(GREY, "star", "CoreDNS"),
    "other": Look("#DDDDDD", "down", "another client"),
}
ALIASES = {
    "apiserver": "kube-apiserver",
    "kindnetd": "kindnet",
    "kubeadm": "you",
    "kubectl": "you",
    "root-ca-cert-publisher": "kube-controller-manager",
}

POD_STATES: Mapping[str, Look] = {
    "Pending": Look(YELLOW, "ring", "Pending"),
    "Waiting": Look(ORANGE, "up", "Waiting (back-off, error)"),
    "Running": Look(SKY, "half", "Running, not ready"),
    "Ready": Look(BLUE, "disc", "Running and ready"),
    "Terminating": Look(PURPLE, "down", "Terminating"),
    "Succeeded": Look(DARK_GREY, "tick", "Succeeded"),
    "Failed": Look(VERMILLION, "cross", "Failed"),
    "Unknown": Look(GREY, "question", "Unknown"),
}

LIGHT: Mapping[str, str] = {
    "paper": "#FFFFFF",
    "panel": "#F3F5F7",
    "ink": "#1B1F24",
    "muted": "#57606A",
    "rule": "#C2C9D1",
    "accent": "#0072B2",
}
DARK: Mapping[str, str] = {
    "paper": "#14171B",
    "panel": "#20252B",
    "ink": "#ECEFF3",
    "muted": "#A6B0BC",
    "rule": "#4B545F",
    "accent": "#56B4E9",
}
THEMES: Mapping[str, Mapping[str, str]] = {"light": LIGHT, "dark": DARK}


def component_key(name: str) -> str:
    """Return the row of `COMPONENTS` for a component as the trace names it.

    >>> component_key("kubelet/worker-1"), component_key("replicaset-controller")
    ('kubelet', 'kube-controller-manager')
    """
    base = name.partition("/")[0]
    if base in COMPONENTS:
        return base
    if base.endswith(("-controller", "-collector")):
        return "kube-controller-manager"
    return ALIASES.get(base, "other")


def component_look(name: str) -> Look:
    """Return the look of a component as the trace names it."""
    return COMPONENTS[component_key(name)]


def lane_label(name: str) -> str:
    """Return the words beside or above the lane of a component, where room is short."""
    key = component_key(name)
    return "controllers" if key == "kube-controller-manager" else COMPONENTS[key].label


def text_on(fill: str) -> str:
    """Return black or white, whichever reads better on a fill."""
    on_white, on_black = contrast(fill, WHITE), contrast(fill, BLACK)
    return WHITE if on_white >= on_black else BLACK


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of "#RRGGBB", 0 to 1: what is left of it in grey."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
