"""Grading: what `python -m k8slab grade PATH...` does with notebooks.

A fresh notebook is made from the official one and the learner's answers (`submission`), its cells
run in a kernel of their own with limits (`kernel`), which has the machine taken away where that
is possible (`sandbox`). Each answer is fetched from there as data (`remote`, `wire`, and `inside`
at the other end) and judged here, by the package (`grade`). `layout` finds the files of a class,
`pool` grades several at a time, `report` and `pages` show the outcome, `command` is the command
line.

Rule of use: nothing that the submission defines is ever called in this process.

Upstream: none (nbgrader's autograde does the same job)
"""
