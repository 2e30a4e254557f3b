"""Killed at any moment: after the next run all is as if nothing had happened, held against an undisturbed twin.

The twin reads the same sources in peace; then its suite is corrected, what that suite kept out is replayed, and more is
read. The other homes go the same way, but are killed with SIGKILL at random moments of the sync, the build, the
publication and the replay, several times in a row, before each step is left to run to its end.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from retreasure_assets.lake.failures import FailureLog
from retreasure_assets.quality import suite as suites
from retreasure_assets.quality.quarantine_log import Lifecycle, QuarantineLog
from retreasure_assets.sandbox import WorldSpec, generate_world
from retreasure_assets.sandbox.server import environment, running_sandbox
from tests.end_to_end.bad_input import receipts
from tests.end_to_end.conftest import Home
from tests.end_to_end.forking import Forker, forker

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

#: Read here: while a test runs, nothing of the machine's own settings is to be seen.
KILLS = int(os.environ.get("RETREASURE_TEST_KILLS", "100"))
RUN = ("run", "--source", "pos", "--source", "fx", "--source", "shopify")
REPLAY = ("quarantine", "replay", "--dataset", "bronze.pos_products")
#: Settings of the sandbox's sources that the small build reads.
_SOURCES = ("RETREASURE_SHOPIFY_", "RETREASURE_FX_")


@dataclass(frozen=True)
class Phase:
    """A part of a command that a kill is to meet.

    Args:
        words: the command.
        mark: files of the home of which one is written when the phase begins.
        seconds: for how long from then on a kill may come.
    """

    words: Sequence[str]
    mark: str
    seconds: float


PHASES = {
    "sync": Phase(RUN, "locks/bronze_*.lock.json", 1.5),
    "build": Phase(RUN, "locks/warehouse.lock.json", 0.7),
    "publish": Phase(RUN, "build/dbt/*/run/*/models/gold/*.sql", 0.3),
    "replay": Phase(REPLAY, "locks/warehouse.lock.json", 0.2),
}


@dataclass(frozen=True)
class Stage:
    """The sources that all homes read, and what the undisturbed one made of them, before the correction and after."""

    forker: Forker
    settings: dict[str, str]
    before: dict[str, Any]
    after: dict[str, Any]

    def home(self, path: Path) -> Home:
        """A home in which nothing has run yet."""
        return prepared(path, self.settings)


@dataclass(frozen=True)
class Kills:
    """The phases to be killed in, one after the other, before each step is left to run to its end."""

    first: Sequence[str] = ()
    replaying: Sequence[str] = ()
    second: Sequence[str] = ()
    met: Counter[str] = field(default_factory=Counter)


def drawn(chance: random.Random) -> Kills:
    """Some kills, those before one step in the order of its phases: a run that follows a killed one goes further."""

    def some(most: int, *phases: str) -> Sequence[str]:
        return sorted(chance.choices(phases, k=chance.randint(0, most)), key=list(PHASES).index)

    return Kills(some(6, "sync", "build", "publish"), some(3, "replay"), some(5, "sync", "build", "publish"))


def prepared(path: Path, settings: dict[str, str]) -> Home:
    home = Home(path, settings)
    lines = [f"RT-{piece},Vase,glass,EUR,{-5 if piece in (3, 7) else piece}.00" for piece in range(1, 13)]
    home.drop("pos/products/catalogue.csv", "\n".join(["item_id,title,category,currency,price", *lines, ""]).encode())
    # More than one batch, and one line that is set aside.
    home.drop("pos/transactions/one.csv", receipts(0, 21_000) + b"T-bad,1,yesterday,S1,RT-1,Vase,one\n")
    home.drop("pos/transactions/two.csv", receipts(20_000, 2_000))
    price_rule(home, "critical")
    return home


def price_rule(home: Home, severity: str) -> None:
    """A suite of the user's own, in which a price below zero is bad, or only remarkable."""
    document = json.loads((Path(suites.__file__).parent / "suites/bronze/pos_products.json").read_text())
    for one in document["expectations"]:
        if one["meta"]["rule"] == "price_range":
            one["severity"] = severity
    folder = home.path / "suites" / "bronze"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pos_products.json").write_text(json.dumps(document))


def corrected(home: Home) -> None:
    """The rule is put right, and more is sold meanwhile."""
    price_rule(home, "warning")
    home.drop("pos/transactions/three.csv", receipts(21_500, 3_000))


def state(home: Home) -> dict[str, Any]:
    """What a home holds, without what differs from home to home: random ids, keys and times."""
    found: dict[str, Any] = {}
    for layer, table in home.lake.tables():
        if layer in ("bronze", "quarantine") and table != "replayed":
            sql = f"select natural_key, payload_sha256, count(*) from {layer}.{table} group by all order by all"
            persons = f"select count(distinct person_id), count(person_id), count(sealed) from {layer}.{table}"
            found[f"{layer}.{table}"] = (home.rows(sql), home.rows(persons))
    entries = QuarantineLog(home.lake).entries()
    found["entries"] = sorted((entry.dataset, str(entry.natural_key), entry.status) for entry in entries)
    found["gold"] = home.gold()
    return found


def finish(home: Home, words: Sequence[str], commands: Forker) -> None:
    """Let a command run to its end."""
    commands.start(words, home.environment(), home.path / "said")
    assert commands.ended() == 0, (home.path / "said").read_text()
    assert "Failed: " not in (home.path / "said").read_text()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, small_build: Path) -> Iterator[Stage]:
    with running_sandbox(generate_world(WorldSpec(seed=5, days=8, scale=0.2))) as url, forker() as commands:
        given = {name: value for name, value in environment(url).items() if name.startswith(_SOURCES)}
        settings = {**given, "RETREASURE_DBT_PROJECT": str(small_build)}
        home = prepared(tmp_path_factory.mktemp("twin") / "home", settings)
        finish(home, RUN, commands)
        before = state(home)
        assert before["gold"] == {**before["gold"], "pos_transactions": 22_000, "pos_products": 10}
        assert [status for _, _, status in before["entries"]] == [Lifecycle.OPEN] * 3
        corrected(home)
        finish(home, REPLAY, commands)
        finish(home, RUN, commands)
        after = state(home)
        assert after["gold"] == {**before["gold"], "pos_transactions": 24_500, "pos_products": 12}
        statuses = Counter(status for _, _, status in after["entries"])
        assert statuses == {Lifecycle.REPLAYED: 2, Lifecycle.OPEN: 1}
        yield Stage(commands, settings, before, after)


def kill_in(home: Home, phase: Phase, chance: random.Random, commands: Forker) -> bool:
    """Start a command and kill it, and whatever it started, within a phase; False when it was quicker."""
    began, late = time.time(), time.monotonic() + 300
    child = commands.start(phase.words, home.environment(), home.path / "said")
    # The forker reaps a command that ends: it is gone from here then.
    while alive(child) and not any(written_since(path, began) for path in home.path.glob(phase.mark)):
        assert time.monotonic() < late, (home.path / "said").read_text()
        time.sleep(0.005)
    time.sleep(chance.uniform(0, phase.seconds))
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return commands.ended() == -signal.SIGKILL


def alive(process: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def written_since(path: Path, moment: float) -> bool:
    """Whether a file was written after a moment; one that is gone again was not."""
    try:
        return path.stat().st_mtime >= moment
    except FileNotFoundError:
        return False


def go_through(stage: Stage, path: Path, kills: Kills, seed: int) -> None:
    """Go the twin's way with kills on it, and hold what is there after each step's end against the twin."""
    home, chance = stage.home(path), random.Random(seed)

    def killed(phases: Sequence[str]) -> None:
        for phase in phases:
            kills.met[phase] += kill_in(home, PHASES[phase], chance, stage.forker)

    killed(kills.first)
    finish(home, RUN, stage.forker)
    assert state(home) == stage.before, (kills, seed)
    corrected(home)
    killed(kills.replaying)
    finish(home, REPLAY, stage.forker)
    killed(kills.second)
    finish(home, RUN, stage.forker)
    assert state(home) == stage.after, (kills, seed)
    # The gates' warnings of lines that were set aside may stay; that a process died may not.
    assert {row["kind"] for row in FailureLog(home.lake).open()} <= {"check"}, (kills, seed)
    if seed % 10 == 0:
        before = home.versions()
        finish(home, RUN, stage.forker)
        assert home.versions() == before, (kills, seed)
    shutil.rmtree(path)


def test_killed_in_each_phase(stage: Stage, tmp_path: Path) -> None:
    kills = Kills(("sync", "build", "publish"), ("replay",), ("sync",))
    go_through(stage, tmp_path / "home", kills, seed=1)
    assert kills.met.total() >= 3, kills.met


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_killed_a_hundred_times(stage: Stage, tmp_path: Path) -> None:
    """Until as many kills as RETREASURE_TEST_KILLS says, a hundred by default, have met a command that was going."""
    seed, met = 100, Counter[str]()
    while met.total() < KILLS:
        kills = drawn(random.Random(seed))
        go_through(stage, tmp_path / str(seed), kills, seed)
        met += kills.met
        seed += 1
        print(f"{met.total()} kills: {dict(met)}", flush=True)
    assert set(met) == set(PHASES)
