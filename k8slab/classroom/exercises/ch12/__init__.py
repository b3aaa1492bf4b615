"""The exercises of chapter 12, One request, end to end.

`envelopes` predicts, `callers` keeps an address, `book` makes, `layers` diagnoses, `notes` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch12 import book, callers, envelopes, layers, notes

EXERCISES = (
    envelopes.EXERCISE,
    callers.EXERCISE,
    book.EXERCISE,
    layers.EXERCISE,
    notes.EXERCISE,
)
