"""Widgets: pictures that a learner can move, and that ask before they show.

Each is made by a function of a cluster and is a `Widget`, whose output also holds a static picture
and its text, for wherever no kernel runs; `export_html` writes a page that replays what was done.
Most are a `Trial`: dials, a prediction, a button, and what came of it.

Rule of use: state lives in the cluster; a widget shows it, asks, and passes commands on.

Upstream: none
"""
