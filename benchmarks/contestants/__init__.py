"""What is measured, each a program of its own: ``python -m benchmarks.contestants.<name> ...``.

What belongs here: doing the work and saying how long each phase took (phases.py). What does not: memory and wall
time, which the starting process measures from outside (measuring.py).
"""
