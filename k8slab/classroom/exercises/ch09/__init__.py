"""The exercises of chapter 09, Rollouts: two ReplicaSets and a budget.

`capacity` predicts, `step` makes the decision, `stuck` repairs a rollout that never ends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch09 import capacity, step, stuck

EXERCISES = (capacity.EXERCISE, step.EXERCISE, stuck.EXERCISE)
