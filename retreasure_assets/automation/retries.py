"""Which failures Dagster tries again, and how often.

A request to a source is retried where it fails, in ``sources.http``: up to three times, by the source's own rules
(backoff with jitter, Retry-After). What reaches Dagster after that is final for this run, or three times three tries
would be sixteen. The policy here covers what no HTTP layer sees: a lake that other writers kept busy.
"""

from __future__ import annotations

import dagster as dg

from retreasure_assets.errors import RetreasureError, SourceError

SYNC_RETRIES = dg.RetryPolicy(max_retries=3, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def as_dagster_failure(error: RetreasureError) -> dg.Failure:
    """A platform error as a Dagster failure: sentence, remedy, and whether another try makes sense."""
    return dg.Failure(
        description=str(error),
        metadata={
            "error_class": type(error).__name__,
            "cause": error.message,
            "remedy": error.remedy,
            "exit_code": error.exit_code,
            "attempts": error.attempts,
        },
        allow_retries=error.transient and not isinstance(error, SourceError),
    )


def unforeseen(error: Exception) -> dg.Failure:
    """An error that no class of the platform's stands for: a mistake in the code, which another try repeats.

    Its own text may quote a record, so only its class is told; the traceback is the failure's cause.
    """
    name = type(error).__name__
    cause = f"An unexpected {name} stopped this step."
    return dg.Failure(
        description=f"{cause} Run `retreasure --debug run` to see where; nothing is lost.",
        metadata={"error_class": name, "cause": cause, "attempts": 1},
        allow_retries=False,
    )
