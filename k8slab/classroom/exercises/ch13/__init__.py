"""The exercises of chapter 13, When things die.

`minute` predicts, `patience` makes, `seamless` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch13 import minute, patience, seamless

EXERCISES = (minute.EXERCISE, patience.EXERCISE, seamless.EXERCISE)
