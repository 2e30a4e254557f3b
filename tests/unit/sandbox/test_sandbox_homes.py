from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from retreasure_assets.cli import main
from retreasure_assets.errors import AlreadyRunningError, ConfigurationError
from retreasure_assets.lake.locking import run_lock
from retreasure_assets.sandbox.homes import home_of
from retreasure_assets.sandbox.world import WorldSpec
from retreasure_assets.settings import Settings

SMALL = WorldSpec(seed=7, days=3, scale=0.5)
LONGER = WorldSpec(seed=7, days=5, scale=0.5)
OTHER = WorldSpec(seed=8, days=3, scale=0.5)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)  # type: ignore[call-arg]


def visit(settings: Settings, world: WorldSpec) -> tuple[str | None, set[str]]:
    """Leave a file that tells the world; what was said, and the files that the folder then has."""
    home = settings.home / "sandbox"
    with home_of(settings, home, world) as said:
        (home / f"seed{world.seed}-days{world.days}").touch()
        return said, {path.name for path in home.iterdir() if path.name != "world.json"}


def test_a_first_world_and_the_same_again_use_the_folder_as_it_is(settings: Settings) -> None:
    assert visit(settings, SMALL) == (None, {"seed7-days3"})
    assert visit(settings, SMALL) == (None, {"seed7-days3"})
    assert [path.name for path in settings.home.iterdir() if path.name.startswith("sandbox")] == ["sandbox"]


def test_a_longer_world_goes_on_from_the_shorter_one(settings: Settings) -> None:
    visit(settings, SMALL)
    assert visit(settings, LONGER) == (None, {"seed7-days3", "seed7-days5"})


@pytest.mark.parametrize(
    "another", [OTHER, WorldSpec(seed=7, days=3, scale=0.25), WorldSpec(seed=7, days=2, scale=0.5)]
)
def test_the_state_of_another_world_is_set_aside_and_comes_back(settings: Settings, another: WorldSpec) -> None:
    visit(settings, SMALL)
    said, files = visit(settings, another)
    assert said == "The state of the last sandbox (seed 7, 3 days, scale 0.5) is kept in sandbox-seed7-days3-scale0.5."
    assert files == {f"seed{another.seed}-days{another.days}"}
    said, files = visit(settings, LONGER)
    if another.scale == SMALL.scale and another.seed == SMALL.seed:
        # The shorter world is a part of this one.
        assert said is None
    else:
        assert said is not None
        assert said.endswith("This one goes on with what sandbox-seed7-days3-scale0.5 kept.")
        assert files == {"seed7-days3", "seed7-days5"}


def test_nothing_set_aside_is_overwritten(settings: Settings) -> None:
    aside = settings.home / "sandbox-seed7-days3-scale0.5"
    (aside / "mine").mkdir(parents=True)
    visit(settings, SMALL)
    visit(settings, OTHER)
    assert (aside / "mine").is_dir()
    assert (settings.home / "sandbox-seed7-days3-scale0.5-2" / "seed7-days3").exists()


def test_the_world_of_a_sandbox_at_work_is_not_moved_away(settings: Settings) -> None:
    home = settings.home / "sandbox"
    with home_of(settings, home, SMALL):
        with home_of(settings, home, SMALL) as said:
            assert said is None
        with pytest.raises(AlreadyRunningError, match="another world"), home_of(settings, home, OTHER):
            pass


def test_an_error_of_the_work_within_is_not_taken_for_another_sandbox(settings: Settings) -> None:
    home = settings.home / "sandbox"
    with (
        pytest.raises(AlreadyRunningError, match="Another run"),
        home_of(settings, home, SMALL),
        run_lock(settings),
        run_lock(settings),
    ):
        pass


def test_a_note_that_cannot_be_read_is_no_world(settings: Settings) -> None:
    visit(settings, SMALL)
    (settings.home / "sandbox" / "world.json").write_bytes(b"{")
    assert visit(settings, OTHER)[0] is None


@pytest.mark.parametrize(
    ("typed", "served"), [([], OTHER), (["--days", "9"], WorldSpec(seed=7, days=9, scale=0.5)), (["--seed", "7"], None)]
)
def test_up_stays_in_the_world_of_the_last_demo_unless_another_one_is_asked_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, typed: list[str], served: WorldSpec | None
) -> None:
    asked: list[WorldSpec] = []

    @contextmanager
    def no_sandbox(world: WorldSpec, *_: Any, **__: Any) -> Iterator[None]:
        asked.append(world)
        raise ConfigurationError("It stops here.", remedy="None.")
        yield

    visit(settings, OTHER)
    monkeypatch.setattr("retreasure_assets.cli.signal.signal", lambda *_: None)
    monkeypatch.setattr("retreasure_assets.sandbox.process.sandbox_process", no_sandbox)
    outcome = CliRunner().invoke(main, ["up", *typed], env={"RETREASURE_HOME": str(settings.home)})
    assert outcome.exit_code != 0
    assert asked == [served or WorldSpec(seed=7, days=60, scale=0.5)]
