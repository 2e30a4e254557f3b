"""Whether this installation can work: sources, state folder, vault, versions, clocks.

What belongs here: what is looked at, and what is said of it. What does not: showing it (``console``). Nothing is made
or changed by looking: no folder, no key, no table.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from retreasure_assets.entities import Connector
from retreasure_assets.errors import ConfigurationError, LakeError, RetreasureError, SourceError
from retreasure_assets.privacy.keys import KEY_FILE
from retreasure_assets.privacy.vault import open_vault
from retreasure_assets.resources.telling import channels
from retreasure_assets.settings import Settings
from retreasure_assets.sources.api_source import ApiSource
from retreasure_assets.sources.files import connectors, load_mappings
from retreasure_assets.sources.files.connector import stray_files
from retreasure_assets.sources.http import HttpClient
from retreasure_assets.sources.registry import API_SOURCES, half_configured

#: Seconds by which clocks may differ: signatures and tokens are refused beyond a few minutes.
_SKEW = 120.0
#: Free bytes below which a run may not get to its end.
_LITTLE = 1 << 30
#: Packages whose versions are pinned because others were seen not to work.
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[^;\s]+)$")


class State(StrEnum):
    """How something is."""

    OK = "ok"
    OFF = "off"
    #: It works, but not in full or not for long.
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing.

    Args:
        subject: what was looked at: ``shopify``, ``vault``.
        state: how it is.
        detail: one sentence; no value of any record or credential.
        remedy: what to do about it, "" for nothing.
        exit_code: what a failure makes the command end with.
    """

    subject: str
    state: State
    detail: str
    remedy: str = ""
    exit_code: int = 0


def examine(settings: Settings, sources: Sequence[ApiSource] = API_SOURCES) -> list[Finding]:
    """Look at everything; sources are asked side by side, one cheap call each.

    Args:
        settings: what the environment says.
        sources: the API sources there are.
    """
    with ThreadPoolExecutor(max_workers=max(len(sources), 1)) as asking:
        asked = list(asking.map(lambda source: _source(source, settings), sources))
    return [
        *(finding for findings in asked for finding in findings),
        *_files(settings),
        *_home(settings),
        *_vault(settings),
        *_alerts(settings),
        *_versions(),
    ]


def exit_code(findings: Sequence[Finding]) -> int:
    """Zero, or that of the first failure."""
    return next((finding.exit_code for finding in findings if finding.state is State.FAILED), 0)


def _failed(subject: str, error: RetreasureError) -> Finding:
    return Finding(subject, State.FAILED, error.message, error.remedy, error.exit_code)


def _source(source: ApiSource, settings: Settings) -> list[Finding]:
    if (mistake := half_configured(settings).get(source.name)) is not None:
        return [_failed(source.name, mistake)]
    if (missing := source.missing(settings)) is not None:
        return [Finding(source.name, State.OFF, "It is not configured.", missing)]
    try:
        with closing(source.connect(settings)) as connector:
            lacking = connector.check()
            return [*_checked(source.name, lacking), *_clocks(source.name, connector)]
    except RetreasureError as error:
        return [_failed(source.name, error)]


def _checked(subject: str, lacking: Sequence[str]) -> list[Finding]:
    if not lacking:
        return [Finding(subject, State.OK, "It answers, and gives what is asked for.")]
    return [Finding(subject, State.FAILED, *_halves(sentence), exit_code=SourceError.exit_code) for sentence in lacking]


def _halves(sentence: str) -> tuple[str, str]:
    """A connector's sentence as what is wrong and what to do; it may say both in one."""
    what, _, remedy = sentence.partition(": ")
    return (f"{what}.", remedy[:1].upper() + remedy[1:]) if remedy else (sentence, "")


def _clocks(subject: str, connector: Connector) -> Iterator[Finding]:
    for client in _clients(connector):
        ahead = client.counters.clock_ahead
        if ahead is not None and abs(ahead) > _SKEW:
            way = "ahead of" if ahead > 0 else "behind"
            told = f"{client.endpoint.source}'s clock is {abs(ahead):.0f} s {way} ours."
            yield Finding(subject, State.WARNING, told, "Set this machine's clock by a time server.")


def _clients(connector: Connector) -> Sequence[HttpClient]:
    """The HTTP clients that a connector shows, as ``clients`` or as ``http``."""
    several = getattr(connector, "clients", None)
    one = getattr(connector, "http", None)
    return several if several is not None else [one] if isinstance(one, HttpClient) else []


def _files(settings: Settings) -> list[Finding]:
    try:
        mappings = load_mappings(settings.mappings_path)
        found: Mapping[str, Sequence[str]] = {
            source: connector.check() for source, connector in connectors(settings.drop_path, mappings).items()
        }
        stray = stray_files(settings.drop_path, mappings)
    except RetreasureError as error:
        return [_failed("files", error)]
    findings = [
        Finding(f"files: {source}", State.FAILED, *_halves_of_error(sentence), exit_code=SourceError.exit_code)
        for source, sentences in found.items()
        for sentence in sentences
    ]
    if stray:
        named = ", ".join(stray[:3]) + (f" and {len(stray) - 3} more" if len(stray) > 3 else "")
        remedy = "Put each into <source>/<entity>/ (docs/file-mappings.md)."
        findings.append(Finding("files", State.WARNING, f"No source looks at {named}.", remedy))
    if findings:
        return findings
    if not settings.drop_path.is_dir():
        return [Finding("files", State.OFF, "Nothing was dropped.", f"Drop files into {settings.drop_path}.")]
    return [Finding("files", State.OK, "Every dropped file has a mapping.")]


def _halves_of_error(sentence: str) -> tuple[str, str]:
    what, _, remedy = sentence.partition(". ")
    return f"{what.rstrip('.')}.", remedy


def _home(settings: Settings) -> Iterator[Finding]:
    home = settings.home.absolute()
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if not (there.is_dir() and os.access(there, os.R_OK | os.W_OK | os.X_OK)):
        error = LakeError(f"The state folder {home} cannot be written.", remedy="Check the rights on RETREASURE_HOME.")
        yield _failed("home", error)
        return
    closed = [str(folder) for folder in _own_folders(home) if not os.access(folder, os.R_OK | os.W_OK | os.X_OK)]
    if closed:
        error = LakeError(f"{closed[0]} cannot be read and written.", remedy="Check the rights on RETREASURE_HOME.")
        yield _failed("home", error)
        return
    free = shutil.disk_usage(there).free
    if free < _LITTLE:
        yield Finding("home", State.WARNING, f"{free / 1e6:,.0f} MB are free for {home}.", "Make room on that disk.")
        return
    made = "" if home.exists() else ", which the first run makes"
    yield Finding("home", State.OK, f"State is kept in {home}{made}; {free / 1e9:,.0f} GB are free.")


def _own_folders(home: Path) -> Iterator[Path]:
    """The folders of the state folder, two levels deep."""
    for pattern in ("*", "*/*"):
        yield from (path for path in home.glob(pattern) if path.is_dir())


def _vault(settings: Settings) -> Iterator[Finding]:
    kept = settings.vault_path.parent / KEY_FILE
    if not settings.vault_path.exists() and settings.vault_key is None and not kept.exists():
        yield Finding("vault", State.OK, "The first run makes the vault and its master key; keep a copy of the key.")
        return
    if not settings.vault_path.exists():
        yield Finding("vault", State.OK, "There is a master key; the first run makes the vault.")
        return
    try:
        open_vault(settings).close()
    except RetreasureError as error:
        yield _failed("vault", error)
        return
    where = "RETREASURE_VAULT_KEY" if settings.vault_key is not None else str(kept)
    yield Finding("vault", State.OK, f"The vault opens with the master key of {where}.")


def _alerts(settings: Settings) -> Iterator[Finding]:
    try:
        names = [channel.name for channel in channels(settings)]
    except ConfigurationError as error:
        yield _failed("alerts", error)
        return
    if names:
        yield Finding("alerts", State.OK, f"What fails is told to: {', '.join(names)}.")
    else:
        yield Finding(
            "alerts", State.OFF, "What fails is told to nobody.", "Name a channel (docs/operating/alerts.md)."
        )


def _versions() -> Iterator[Finding]:
    wanted = [match for one in requires("retreasure") or () if (match := _PINNED.match(one.replace(" ", "")))]
    wrong = []
    for match in wanted:
        try:
            installed = version(match["name"])
        except PackageNotFoundError:
            installed = "absent"
        if installed != match["version"]:
            wrong.append(f"{match['name']} is {installed}, not {match['version']}")
    if wrong:
        error = ConfigurationError(f"{'; '.join(wrong)}.", remedy="Run `make setup` again.")
        yield _failed("versions", error)
        return
    told = ", ".join(f"{name} {version(name)}" for name in ("dagster", "dbt-core", "dbt-duckdb", "duckdb", "deltalake"))
    yield Finding("versions", State.OK, f"{told}.")
