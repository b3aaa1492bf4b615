"""Widgets: pictures that a learner can move, and that ask before they show.

`time_bar`, `explorer` and `label_magnet` each take a cluster and return a `Widget`, whose output
also holds a static picture and its text, for wherever no kernel runs.

Rule of use: state lives in the cluster; a widget shows it, asks, and passes commands on.

Upstream: none
"""
