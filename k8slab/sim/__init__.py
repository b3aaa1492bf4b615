"""Virtual time, queues, named random streams and the trace; knows nothing of Kubernetes."""
