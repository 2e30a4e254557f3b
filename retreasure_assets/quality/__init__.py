"""Gates and the quarantine: which new rows may go on, which are kept aside and why, and what becomes of those.

What belongs here: suites (the contracts), their evaluation, the gate of a dataset, the quarantine as a workplace. What
does not: reading sources, writing bronze, Dagster.
"""
