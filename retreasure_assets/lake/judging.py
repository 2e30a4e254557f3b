"""Judging batches: on a thread here, or by helper processes where they are large.

What belongs here: where a batch is judged. What does not: judging itself (records.py), and helpers (helpers.py).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.helpers import Answer, Helpers
from retreasure_assets.lake.records import Readers
from retreasure_assets.privacy.keys import JudgingKeys
from retreasure_assets.privacy.sealing import NO_DICTIONARY, Dictionary

#: Of a batch this large there mostly are more to come. A helper costs a fifth of a second to start.
_LARGE_BYTES = 8 << 20


class Judge:
    """Judges the batches of one writer. For one thread.

    Args:
        keys: the vault's keys for this.
        dictionary: what an entity's records are compressed with, as far as is known yet.
        helpers: processes for large batches, which others may use too.

    Attributes:
        hurried: whether somebody waits for its answers, and so has the time to compress what is to be sealed.
    """

    hurried = False

    def __init__(
        self, keys: JudgingKeys, dictionary: Callable[[Entity], Dictionary], helpers: Helpers | None = None
    ) -> None:
        self._dictionary = dictionary
        self._readers = Readers(keys)
        self._thread = ThreadPoolExecutor(1, "judge")
        self._helpers = helpers
        self._held = ExitStack()
        if helpers is not None:
            self._held.enter_context(helpers.reading())

    def submit(self, batch: RawBatch) -> Answer:
        """Begin to judge a batch: its good records, and its bad ones."""
        if self._helpers is not None and sum(map(len, batch.records)) >= _LARGE_BYTES:
            answer = self._helpers.submit(batch, self._helpers_dictionary, self._here)
            if answer is not None:
                return answer
        return self._here(batch)

    def close(self) -> None:
        """End the thread, once what is under way here is done, and leave the helpers to others."""
        self._thread.shutdown()
        self._held.close()

    def _here(self, batch: RawBatch) -> Answer:
        return self._thread.submit(self._readers.read, batch)

    def _helpers_dictionary(self, entity: Entity) -> Dictionary:
        return NO_DICTIONARY if self.hurried else self._dictionary(entity)
