"""The exercises of chapter 06, Why Services exist.

`relabel` predicts, `selector` chooses, `members` makes, `repair` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch06 import members, relabel, repair, selector

EXERCISES = (relabel.EXERCISE, selector.EXERCISE, members.EXERCISE, repair.EXERCISE)
