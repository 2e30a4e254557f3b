"""Circuits: a dead source costs a round or two, and heals by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from retreasure_assets.errors import CircuitOpenError, PermanentSourceError, SourceError, TransientSourceError
from retreasure_assets.lake.circuits import COOL_DOWN, LONGEST, Circuits, CircuitState
from retreasure_assets.lake.storage import Lake

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuits(tmp_path: Path, clock: Clock) -> Circuits:
    return Circuits(Lake(tmp_path / "lake"), clock)


def dead(seconds: float = 0.0) -> SourceError:
    error = TransientSourceError("Etsy cannot be reached.", remedy="Check the network.")
    error.seconds = seconds
    return error


def ask(circuits: Circuits, error: SourceError | None = None, source: str = "etsy") -> str:
    """What asking a source comes to."""
    try:
        with circuits.guard(source):
            if error is not None:
                raise error
    except CircuitOpenError:
        return "refused"
    except SourceError:
        return "failed"
    return "read"


def test_it_opens_after_two_rounds_and_refuses_without_asking(circuits: Circuits) -> None:
    assert [ask(circuits, dead()) for _ in range(4)] == ["failed", "failed", "refused", "refused"]
    assert circuits.read("etsy").state(NOW) is CircuitState.OPEN
    # Another source, and another process, which knows of it too.
    assert ask(circuits, source="ebay") == "read"
    assert ask(Circuits(circuits.lake, circuits.now)) == "refused"


def test_one_round_of_time_outs_is_enough(circuits: Circuits) -> None:
    assert [ask(circuits, dead(seconds=240)), ask(circuits)] == ["failed", "refused"]


def test_a_success_in_between_starts_the_count_anew(circuits: Circuits) -> None:
    asked = [ask(circuits, error) for error in (dead(), None, dead(), None, dead())]
    assert asked == ["failed", "read", "failed", "read", "failed"]


def test_a_refused_credential_never_opens_it(circuits: Circuits) -> None:
    wrong = PermanentSourceError("Etsy does not accept the credential.", remedy="Check it.")
    assert [ask(circuits, wrong) for _ in range(5)] == ["failed"] * 5
    assert ask(circuits) == "read"


def test_after_the_cool_down_one_finds_out_while_the_others_are_refused(circuits: Circuits, clock: Clock) -> None:
    ask(circuits, dead())
    ask(circuits, dead())
    clock.now += COOL_DOWN
    with circuits.guard("etsy"):
        assert ask(circuits) == "refused"
    assert circuits.read("etsy").state(clock.now) is CircuitState.CLOSED
    assert ask(circuits) == "read"


def test_each_failed_probe_doubles_the_cool_down_up_to_an_hour(circuits: Circuits, clock: Clock) -> None:
    ask(circuits, dead())
    ask(circuits, dead())
    pauses = []
    for _ in range(7):
        retry_at = circuits.read("etsy").retry_at
        assert retry_at is not None
        pauses.append(retry_at - clock.now)
        clock.now = retry_at - timedelta(seconds=1)
        assert ask(circuits, dead()) == "refused"
        clock.now = retry_at
        assert ask(circuits, dead()) == "failed"
    assert pauses[:4] == [COOL_DOWN, 2 * COOL_DOWN, 4 * COOL_DOWN, 8 * COOL_DOWN]
    assert pauses[-1] == LONGEST


def test_a_prober_that_was_killed_does_not_keep_it_open(circuits: Circuits, clock: Clock) -> None:
    ask(circuits, dead())
    ask(circuits, dead())
    clock.now += COOL_DOWN
    # It is let through and never heard of again.
    guard = circuits.guard("etsy")
    guard.__enter__()
    assert ask(circuits) == "refused"
    clock.now += LONGEST
    assert ask(circuits) == "read"


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
def test_a_clock_that_jumps_does_not_keep_it_open(circuits: Circuits, clock: Clock, jump: timedelta) -> None:
    ask(circuits, dead())
    ask(circuits, dead())
    clock.now += jump
    assert ask(circuits) == "read"


def test_damaged_state_is_forgotten(circuits: Circuits) -> None:
    ask(circuits, dead())
    ask(circuits, dead())
    (circuits.lake.state / "circuits" / "etsy.json").write_bytes(b'{"failu')
    assert ask(circuits) == "read"


def test_it_remembers_when_a_source_was_last_read(circuits: Circuits, clock: Clock) -> None:
    ask(circuits)
    clock.now += timedelta(hours=1)
    ask(circuits, dead())
    ask(circuits, PermanentSourceError("No.", remedy="Check it."))
    assert circuits.read("etsy").read_at == NOW
