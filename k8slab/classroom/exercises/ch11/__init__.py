"""The exercises of chapter 11, From EndpointSlice to network rules.

`odds` predicts, `clerk` makes the rules, `lost_line` finds what is missing, `one_side`
repairs.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch11 import clerk, lost_line, odds, one_side

EXERCISES = (odds.EXERCISE, clerk.EXERCISE, lost_line.EXERCISE, one_side.EXERCISE)
