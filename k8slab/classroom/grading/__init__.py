"""Grading: what `python -m k8slab grade FILE...` does with a learner's notebook.

A fresh notebook is made from the official one and the learner's answers (`submission`), its cells
run in a kernel of their own with limits (`kernel`), and each answer is fetched from there as data
(`remote`, and `inside` at the other end) and judged here, by the package (`grade`). `report` shows
the outcome, `command` is the command line.

Rule of use: nothing that the submission defines is ever called in this process.

Upstream: none (nbgrader's autograde does the same job)
"""
