"""The exercises of chapter 14, Scale and other data planes.

`first_packet` predicts, `verdict_maps` makes, `three_briefs` chooses settings, `storm` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch14 import first_packet, storm, three_briefs, verdict_maps

EXERCISES = (
    first_packet.EXERCISE,
    verdict_maps.EXERCISE,
    three_briefs.EXERCISE,
    storm.EXERCISE,
)
