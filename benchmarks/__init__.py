"""Measurements of speed and memory, each beside baselines of the same run.

What belongs here: benchmarks, their inputs and their baselines. What does not: tests of what is right; but every
contestant's result is compared, as a quick wrong answer is worth nothing.
"""
