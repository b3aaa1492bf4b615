"""The exercises of chapter 05, Where Pods land.

`six_crates` predicts, `piano` asks why one Pod waits, `stevedore` makes, `organ` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch05 import organ, piano, six_crates, stevedore

EXERCISES = (
    six_crates.EXERCISE,
    piano.EXERCISE,
    stevedore.EXERCISE,
    organ.EXERCISE,
)
