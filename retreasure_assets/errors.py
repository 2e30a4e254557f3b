"""Every error a person may see: one clear sentence, the remedy, and an exit code.

What belongs here: the error classes, split into transient (worth another try) and permanent (never retried),
because retries follow the type. What does not: handling them; the command line and the asset wrappers do that.

Messages name the source and never quote a record's value: a value may be personal.
"""

from __future__ import annotations


class RetreasureError(Exception):
    """A failure with a remedy.

    Args:
        message: one sentence that names the source, file or setting concerned.
        remedy: what the reader can do about it, as an imperative sentence.
    """

    #: The process's exit code when this error ends a command.
    exit_code = 1
    #: Whether the same call may succeed later without anybody changing anything.
    transient = False

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        #: How often it was tried before this was raised, and for how many seconds; whoever retries says so.
        self.attempts = 1
        self.seconds = 0.0

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"


class ConfigurationError(RetreasureError):
    """A setting, credential or mapping is missing or wrong."""

    exit_code = 2


class SourceError(RetreasureError):
    """A source could not be read."""

    exit_code = 3


class TransientSourceError(SourceError):
    """Time-outs, refused connections, 408, 429 and 5xx: retried up to three times.

    Args:
        retry_after: seconds the source asked to wait, when it did.
    """

    transient = True

    def __init__(self, message: str, *, remedy: str, retry_after: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after = retry_after


class PermanentSourceError(SourceError):
    """Refused credentials, unknown addresses, malformed answers: never retried."""


class MalformedInputError(SourceError):
    """A file or page cannot be read as what it claims to be."""


class CircuitOpenError(SourceError):
    """A source that kept failing is left alone for a while: nothing was asked."""


class LakeError(RetreasureError):
    """The lake cannot be read or written: rights, disk space, a damaged table."""

    exit_code = 4


class BusyLakeError(LakeError):
    """Other writers kept getting in between: worth another try."""

    transient = True


class VaultError(RetreasureError):
    """The privacy vault or its master key cannot be used."""

    exit_code = 5


class BuildError(RetreasureError):
    """Silver or gold could not be built."""

    exit_code = 6


class AlreadyRunningError(RetreasureError):
    """Another run holds the lock."""

    exit_code = 7
