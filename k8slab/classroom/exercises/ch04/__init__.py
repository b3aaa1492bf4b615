"""The exercises of chapter 04, The life of a Pod.

`restarts` predicts, `never_ready` makes a state, `phase` makes a decision, `patients` diagnoses,
`storm` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch04 import never_ready, patients, phase, restarts, storm

EXERCISES = (
    restarts.EXERCISE,
    never_ready.EXERCISE,
    phase.EXERCISE,
    patients.EXERCISE,
    storm.EXERCISE,
)
