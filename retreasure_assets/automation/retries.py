"""Which failures Dagster tries again, and how often.

A request to a source is retried where it fails, in ``sources.http``: up to three times, by the source's own rules.
What reaches Dagster after that is final for this run. The policy here covers what no HTTP layer sees: a lake that
another process changed at the same moment, a network share that blinked.
"""

from __future__ import annotations

import dagster as dg

from retreasure_assets.errors import LakeError, RetreasureError

SYNC_RETRIES = dg.RetryPolicy(max_retries=3, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def as_dagster_failure(error: RetreasureError) -> dg.Failure:
    """A platform error as a Dagster failure: sentence, remedy, and whether another try makes sense."""
    return dg.Failure(
        description=str(error),
        metadata={"error_class": type(error).__name__, "remedy": error.remedy, "exit_code": error.exit_code},
        allow_retries=isinstance(error, LakeError) and error.transient,
    )
