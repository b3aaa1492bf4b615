"""The exercises of chapter 10, From selector to EndpointSlice.

`five_cabs` predicts, `dispatcher` makes, `old_archive` writes a list, `half_the_cabs` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch10 import dispatcher, five_cabs, half_the_cabs, old_archive

EXERCISES = (
    five_cabs.EXERCISE,
    dispatcher.EXERCISE,
    old_archive.EXERCISE,
    half_the_cabs.EXERCISE,
)
