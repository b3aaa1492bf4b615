"""The exercises of chapter 07, Names: cluster DNS.

`asked` predicts, `fewest` optimises, `search` and `answerer` make, `peers` mends.

Rule of use: `EXERCISES` is all that the classroom reads.

Upstream: none
"""

from k8slab.classroom.exercises.ch07 import answerer, asked, fewest, peers, search

EXERCISES = (
    asked.EXERCISE,
    fewest.EXERCISE,
    search.EXERCISE,
    answerer.EXERCISE,
    peers.EXERCISE,
)
