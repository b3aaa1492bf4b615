"""What `course.py` hands over to: the commands that need the locked packages.

One module a command, each with `main(arguments) -> exit status`. The engine knows
nothing of this folder.
"""
