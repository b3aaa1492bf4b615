"""The exercises of chapter 03, From manifest to running.

`nine_events` orders, `how_far` predicts, `last_step` makes, `traces` reproduces, `stuck` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch03 import how_far, last_step, nine_events, stuck, traces

EXERCISES = (
    nine_events.EXERCISE,
    how_far.EXERCISE,
    last_step.EXERCISE,
    traces.EXERCISE,
    stuck.EXERCISE,
)
