"""The exercises of chapter 08, How ReplicaSets drive Pod creation and scheduling.

`victims` predicts, `who_made` asks why, `make_plan` makes, `two_cards` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch08 import make_plan, two_cards, victims, who_made

EXERCISES = (victims.EXERCISE, who_made.EXERCISE, make_plan.EXERCISE, two_cards.EXERCISE)
