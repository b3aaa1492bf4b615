"""The exercises of chapter 01, The cast: control plane and worker node.

`duties` assigns, `boxes` predicts, `edges` makes, `patients` diagnoses.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch01 import boxes, duties, edges, patients

EXERCISES = (duties.EXERCISE, boxes.EXERCISE, edges.EXERCISE, patients.EXERCISE)
