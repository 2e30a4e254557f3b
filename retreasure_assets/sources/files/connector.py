"""The connector of one source's dropped files: which files are new, and batches of their records.

What belongs here: the folder, the ledger of what was read, and going on after a bad file. What does not: reading
a file (``reader``).

The ledger, kept as the entity's cursor, is ``{"files": {name: {size, mtime_ns, sha256, mapping}}}``. A file with
the same size and time is skipped unread; one with the same content under another name is skipped; one that grew or
changed, or whose mapping was corrected, is read again from its beginning, and bronze drops the records it has.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import TypedDict

from retreasure_assets.entities import Cursor, Entity, RawBatch, Window
from retreasure_assets.errors import ConfigurationError, MalformedInputError, SourceError
from retreasure_assets.sources.files.catalogue import entities
from retreasure_assets.sources.files.mapping import FileMapping
from retreasure_assets.sources.files.opening import DroppedFile, Identity, unreadable
from retreasure_assets.sources.files.reader import read_file
from retreasure_assets.sources.files.transform import Mapped
from retreasure_assets.sources.geo import Places

#: Names that a file carries while it is still being written; finished files are renamed into place.
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart", "~")

_NAMED = 10


class _Entry(TypedDict):
    """What the ledger keeps of a file."""

    size: int
    mtime_ns: int
    sha256: str
    mapping: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A file in an entity's folder."""

    path: Path
    label: str
    name: str
    size: int
    mtime_ns: int


class FilesConnector:
    """Reads the files dropped for one source.

    Args:
        drop_path: the folder of all drops; files lie in ``<source>/<entity>/`` below it, in sub-folders too.
        mappings: the source's mappings, in the order in which they are tried.
        places: from an internet address to its place; None where no database is configured.

    Raises:
        ConfigurationError: no mapping, or mappings of several sources.
    """

    def __init__(self, drop_path: Path, mappings: Iterable[FileMapping], places: Places | None = None) -> None:
        self._places = places
        self._mappings = tuple(mappings)
        sources = {each.source for each in self._mappings}
        if len(sources) != 1:
            raise ConfigurationError(
                f"A connector of dropped files reads one source, not {len(sources)}.",
                remedy="Give it the mappings of one source.",
            )
        self._source = sources.pop()
        self._drop_path = drop_path
        self._entities = {entity.name: entity for entity in entities(self._mappings).values()}

    @property
    def source(self) -> str:
        """The source's name."""
        return self._source

    @property
    def entities(self) -> Mapping[str, Entity]:
        """Its entities by name."""
        return self._entities

    def close(self) -> None:
        """Nothing stays open between batches."""

    def check(self) -> Sequence[str]:
        """Look at the names of what was dropped, not into it; see the protocol.

        Raises:
            PermanentSourceError: a folder may not be read.
        """
        return [
            str(self._unmatched(entity, found))
            for entity in self._entities.values()
            for found in self._files(entity)
            if not self._candidates(entity, found)
        ]

    def pending(self, entity: Entity, cursor: Cursor | None) -> list[str]:
        """Names of files that a sync would look into: new, changed, or without a mapping; reads none of them."""
        ledger = _ledger(cursor)
        return [found.name for found in self._files(entity) if not self._known(entity, found, ledger)]

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """Read what was dropped since ``cursor``, oldest file first.

        An explicit window reads every file again and yields the records that changed in it, without cursors.
        A file counts as read only with its last batch. A batch without records can come last, to store that a file
        turned out to hold nothing new.

        Raises:
            MalformedInputError: after all the others were read: files that cannot be, each with its reason.
            PermanentSourceError: the folder or its only bad file may not be read.
        """
        explicit = window.since is not None or window.until is not None
        files = self._files(entity)
        names = {found.name for found in files}
        before = {} if explicit else _ledger(cursor)
        # What a file was called before it was renamed still counts as read.
        contents = {(entry["sha256"], entry["mapping"]) for entry in before.values()}
        ledger = {name: entry for name, entry in before.items() if name in names}
        stored = dict(ledger)
        failures: list[SourceError] = []
        for found in files:
            if not explicit and self._known(entity, found, ledger):
                continue
            ledger.pop(found.name, None)
            try:
                for part, entry in self._read(found, entity, window, contents):
                    if entry is not None:
                        ledger[found.name] = entry
                        contents.add((entry["sha256"], entry["mapping"]))
                    if part is not None:
                        done = entry is not None and not explicit
                        yield _batch(entity, found, part, {"files": dict(ledger)} if done else None)
                        stored = dict(ledger) if done else stored
            except SourceError as error:
                failures.append(error)
        if not explicit and any(stored.get(name) != entry for name, entry in ledger.items()):
            yield RawBatch(entity, [], [], cursor={"files": dict(ledger)}, payloads=[], problems=[])
        _raise_all(failures, entity)

    def _read(
        self, found: _Found, entity: Entity, window: Window, contents: set[tuple[str, str]]
    ) -> Iterator[tuple[Mapped | None, _Entry | None]]:
        """The parts of a file; the last comes with what the ledger has to say about it."""
        candidates = self._candidates(entity, found)
        if not candidates:
            raise self._unmatched(entity, found)
        with DroppedFile(found.path, found.label) as file:
            identity = file.identify()
            entry = _entry(identity, candidates)
            if (entry["sha256"], entry["mapping"]) in contents:
                yield None, entry
                return
            file.check()
            held: Mapped | None = None
            for part in read_file(file, candidates, entity, window, places=self._places):
                if part.records:
                    if held is not None:
                        yield held, None
                    held = part
            if not file.unchanged_since(identity):
                raise MalformedInputError(
                    f"The file {found.label} changed while it was read; it is read again next time.",
                    remedy="Write files under another name and rename them into place.",
                )
            yield held, entry

    def _candidates(self, entity: Entity, found: _Found) -> tuple[FileMapping, ...]:
        return tuple(each for each in self._mappings if each.entity == entity.name and each.matches(found.path.name))

    def _known(self, entity: Entity, found: _Found, ledger: Mapping[str, _Entry]) -> bool:
        entry = ledger.get(found.name)
        if entry is None or (entry["size"], entry["mtime_ns"]) != (found.size, found.mtime_ns):
            return False
        return entry["mapping"] == _rules(self._candidates(entity, found))

    def _unmatched(self, entity: Entity, found: _Found) -> MalformedInputError:
        patterns = sorted({p for each in self._mappings if each.entity == entity.name for p in each.pattern})
        return MalformedInputError(
            f"No mapping matches the name of the file {found.label}; the patterns are {', '.join(patterns)}.",
            remedy="Rename or remove it, or write a mapping for it (docs/file-mappings.md).",
        )

    def _files(self, entity: Entity) -> list[_Found]:
        """The finished files in an entity's folder, oldest first."""
        label = f"{self._source}/{entity.name}"
        return [
            _Found(path, f"{label}/{name}", name, stat.st_size, stat.st_mtime_ns)
            for path, name, stat in sorted(
                _finished(self._drop_path, label), key=lambda each: (each[2].st_mtime_ns, each[1])
            )
        ]


def connectors(
    drop_path: Path, mappings: Iterable[FileMapping], places: Places | None = None
) -> dict[str, FilesConnector]:
    """One connector per source that mappings name; ``places`` tells where an internet address is."""
    by_source: dict[str, list[FileMapping]] = {}
    for each in mappings:
        by_source.setdefault(each.source, []).append(each)
    return {source: FilesConnector(drop_path, group, places) for source, group in sorted(by_source.items())}


def stray_files(drop_path: Path, mappings: Iterable[FileMapping]) -> list[str]:
    """Dropped files that no connector looks at, relative to ``drop_path``: they lie in no known entity's folder.

    Raises:
        PermanentSourceError: a folder may not be read.
    """
    known = {(each.source, each.entity) for each in mappings}
    names = [name for _, name, _ in _finished(drop_path, "")]
    return sorted(name for name in names if name.count("/") < 2 or tuple(name.split("/")[:2]) not in known)


def _finished(drop_path: Path, below: str) -> Iterator[tuple[Path, str, os.stat_result]]:
    """Files below a folder of the drop folder that are not hidden and do not carry a name for unfinished ones."""
    folder = drop_path / below

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise unreadable(f"the folder {_closed(drop_path, Path(error.filename or folder))}", error) from None

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [each for each in folders if not each.startswith(".")]
        for name in files:
            path = Path(place, name)
            if name.startswith(".") or name.lower().endswith(UNFINISHED):
                continue
            try:
                stat = path.stat()
            except OSError:
                continue  # renamed or removed meanwhile
            if S_ISREG(stat.st_mode):
                yield path, path.relative_to(folder).as_posix(), stat


def _closed(drop_path: Path, place: Path) -> str:
    """The outermost folder that keeps one out of a place: a closed drop folder is one reason for all its entities."""
    way = [each for each in (*reversed(place.parents), place) if each.is_relative_to(drop_path)]
    closed = next((each for each in way if not os.access(each, os.R_OK | os.X_OK)), place)
    return closed.relative_to(drop_path.parent).as_posix()


def _batch(entity: Entity, found: _Found, part: Mapped, cursor: Cursor | None) -> RawBatch:
    origins = [f"{found.name}:{line}" for line in part.lines]
    return RawBatch(entity, part.records, origins, cursor=cursor, payloads=part.payloads, problems=part.problems)


def _ledger(cursor: Cursor | None) -> dict[str, _Entry]:
    return dict((cursor or {}).get("files", {}))


def _entry(identity: Identity, candidates: Iterable[FileMapping]) -> _Entry:
    return {
        "size": identity.size,
        "mtime_ns": identity.mtime_ns,
        "sha256": identity.sha256,
        "mapping": _rules(candidates),
    }


def _rules(candidates: Iterable[FileMapping]) -> str:
    """Changes when a file might be read by another mapping, or by the same one otherwise."""
    return hashlib.sha256("".join(each.fingerprint for each in candidates).encode()).hexdigest()[:16]


def _raise_all(failures: list[SourceError], entity: Entity) -> None:
    """Raise what kept files from being read, as one error."""
    if len(failures) == 1:
        raise failures[0]
    if failures:
        sentences = " ".join(map(str, failures[:_NAMED]))
        more = f" And {len(failures) - _NAMED} more." if len(failures) > _NAMED else ""
        raise MalformedInputError(
            f"{len(failures)} files of {entity.source}/{entity.name} could not be read; the others were. "
            f"{sentences}{more}",
            remedy="They are tried again each time.",
        )
