"""The exercises of chapter 02, One write, many watchers.

`writers` names, `refused` predicts, `keeper` makes, `fates` proves, `census` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch02 import census, fates, keeper, refused, writers

EXERCISES = (
    writers.EXERCISE,
    refused.EXERCISE,
    keeper.EXERCISE,
    fates.EXERCISE,
    census.EXERCISE,
)
