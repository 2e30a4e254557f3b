"""The mapping model: what a person may write in a mapping file, checked as a whole before any data are read.

What belongs here: the shape of a mapping and the rules that tie its keys together. What does not: reading YAML
and merging mappings (``catalogue``), or doing what a mapping says (``reader`` and what it calls).
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from retreasure_assets.entities import Entity, Mask

Encoding = Literal[
    "utf-8", "utf-8-sig", "ascii", "cp1252", "iso-8859-1", "iso-8859-15", "utf-16", "utf-16-le", "utf-16-be"
]
ColumnType = Literal[
    "text", "integer", "number", "money", "currency", "date", "datetime", "boolean", "enum", "digest", "postcode_area",
    "ip_country", "ip_region",
]  # fmt: skip
Decimal = Literal[".", ",", "auto"]

#: Suffixes that a pattern need not spell out: the content decides how a file is compressed.
COMPRESSION_SUFFIXES = (".gz", ".zst", ".zstd")

#: Canonical fields that are personal wherever they appear: a mapping cannot leave them in clear by forgetting them.
PERSONAL_FIELDS: dict[str, Mask] = {
    "buyer_id": Mask.PSEUDONYM,
    "buyer_name": Mask.REDACT,
    "buyer_email": Mask.REDACT,
    "ship_name": Mask.REDACT,
    "ship_address1": Mask.REDACT,
    "ship_address2": Mask.REDACT,
    "ship_city": Mask.REDACT,
    "ship_postcode": Mask.POSTCODE_AREA,
    "ship_phone": Mask.REDACT,
    "loyalty_id": Mask.PSEUDONYM,
}


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is no IANA time zone, such as Europe/Dublin or UTC") from None
    return value


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None
    return value


def _date_format(value: str) -> str:
    if value != "iso" and "%" not in value:
        raise ValueError(f"{value!r} is no date format: use iso or strptime codes such as %d/%m/%Y %H:%M")
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many), Field(min_length=1)]
Regex = Annotated[str, AfterValidator(_regex)]
Zone = Annotated[str, AfterValidator(_zone)]
DateFormat = Annotated[str, AfterValidator(_date_format)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Strict(BaseModel):
    """A part of a mapping: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Strict):
    """How one canonical field is made from columns of the file.

    Several columns are alternatives: the first that is not empty wins; with ``join`` all of them are joined, and
    with type ``digest`` all of them are hashed together.
    """

    column: Names
    type: ColumnType = "text"
    #: date and datetime: ``iso`` or strptime codes, tried in this order; month names in English or French.
    formats: Annotated[tuple[DateFormat, ...], BeforeValidator(_one_or_many), Field(min_length=1)] = ("iso",)
    #: datetime: zone of times that carry none; else the mapping's.
    time_zone: Zone | None = None
    #: money and integer: the decimal mark; else the mapping's.
    decimal: Decimal | None = None
    #: enum: the file's words -> canonical words; case does not matter.
    values: dict[str, str] = Field(default_factory=dict)
    #: characters to take off both ends beside white space.
    strip: str = ""
    #: the part to keep: a regular expression with one group; a value that does not match is kept whole.
    extract: Regex | None = None
    #: of a URL or its query: the value of this parameter; a URL without it has no value.
    parameter: str | None = None
    join: str | None = None
    #: whether the file may lack the column.
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str | list | tuple) else value

    @model_validator(mode="after")
    def _coherent(self) -> Column:
        if (self.type == "enum") != bool(self.values):
            raise ValueError("values belongs to type enum, and enum needs it")
        if self.extract is not None and re.compile(self.extract).groups != 1:
            raise ValueError("extract needs exactly one group: the part in round brackets is kept")
        return self

    @property
    def needs_all(self) -> bool:
        """Whether every one of its columns takes part, instead of the first that is not empty."""
        return self.join is not None or self.type in ("digest", "postcode_area")


class CarryForward(Strict):
    """Columns that a file fills on the first line of each group only.

    ``within`` names the columns that tell groups apart (the first that is not empty counts); ``columns`` those
    whose empty cells take the value of the group's first line.
    """

    within: Names
    columns: Names


class SummaryRows(Strict):
    """Lines that head a group without being an item: all the columns in ``empty`` are empty."""

    empty: Names


class Sequence(Strict):
    """A line number within equal values of ``within``, for files that number no lines."""

    field: str
    within: Names


class IdentityRule(Strict):
    """How a record says whom it is about: ``kind`` is the identity's namespace, ``path`` a canonical field."""

    kind: Slug
    path: str


class FileMapping(Strict):
    """One layout of dropped files. The user guide is docs/file-mappings.md."""

    name: Slug
    source: Slug
    entity: Slug
    pattern: Names
    description: str | None = None
    owner: str | None = None
    format: Literal["csv", "jsonl"] = "csv"
    #: JSON Lines: the key of a wrapper. Where a line has an object there, that object is the record, else the line is.
    envelope: Annotated[str, Field(min_length=1)] | None = None
    encoding: Encoding = "utf-8"
    delimiter: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=1)], ...],
        BeforeValidator(_one_or_many),
        Field(min_length=1),
    ] = (",",)
    quote: Literal['"', "'", ""] = '"'
    header: bool = True
    column_names: tuple[str, ...] = ()
    #: lines that are no records, wherever they stand: preamble, trailer.
    skip_rows: Annotated[tuple[Regex, ...], BeforeValidator(_one_or_many)] = ()
    decimal: Decimal = "."
    time_zone: Zone = "UTC"
    #: texts that mean "no value", beside the empty one.
    empty: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ()
    columns: dict[str, Column] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    carry_forward: CarryForward | None = None
    summary_rows: SummaryRows | None = None
    sequence: Sequence | None = None
    natural_key: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ()
    updated_at: str | None = None
    identities: tuple[IdentityRule, ...] = ()
    masks: dict[str, Mask] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _coherent(self) -> FileMapping:
        if self.format == "csv":
            self._check_csv()
            if self.envelope:
                raise ValueError("envelope belongs to jsonl")
        elif self.carry_forward or self.summary_rows or self.column_names or not self.header:
            raise ValueError("header, column_names, carry_forward and summary_rows belong to csv")
        if not self.columns and (self.sequence or self.constants):
            raise ValueError("sequence and constants need columns")
        self._check_fields()
        return self

    def _check_csv(self) -> None:
        if not self.columns:
            raise ValueError("csv needs columns: canonical field -> column of the file")
        if self.header == bool(self.column_names):
            raise ValueError("column_names belongs to header: false, and header: false needs it")
        if (self.quote and self.quote in self.delimiter) or any(mark in "\r\n" for mark in self.delimiter):
            raise ValueError("delimiter must be neither the quote nor a line end")
        if self.summary_rows and not self.carry_forward:
            raise ValueError("summary_rows needs carry_forward, which says what items take from their summary row")
        if not self.header:
            names = {folded(name) for name in self.column_names}
            wanted = [name for column in self.columns.values() if not column.optional for name in column.column]
            unknown = [name for name in wanted if folded(name) not in names]
            if unknown:
                raise ValueError(f"columns uses {unknown[0]!r}, which column_names lacks")

    def _check_fields(self) -> None:
        twice = sorted(set(self.columns) & set(self.constants))
        if self.sequence and self.sequence.field in {*self.columns, *self.constants}:
            twice.append(self.sequence.field)
        if twice:
            raise ValueError(f"the field {twice[0]!r} is filled twice: by columns, constants or sequence")
        if self.whole_object:
            return
        used = [("natural_key", name) for name in self.natural_key]
        used += [("updated_at", self.updated_at)] if self.updated_at else []
        used += [("identities", rule.path) for rule in self.identities]
        used += [("masks", name) for name in self.masks]
        used += [("sequence.within", name) for name in self.sequence.within] if self.sequence else []
        for key, name in used:
            if name not in self.fields:
                raise ValueError(f"{key} uses the field {name!r}, which neither columns, constants nor sequence fill")
        if self.summary_rows and self.carry_forward and set(self.summary_rows.empty) & set(self.carry_forward.columns):
            raise ValueError("summary_rows and carry_forward use the same column: items would look like summaries")
        if self.updated_at in self.columns and self.columns[self.updated_at].type not in ("date", "datetime"):
            raise ValueError(f"updated_at uses the field {self.updated_at!r}, which must be a date or datetime")

    @property
    def fields(self) -> tuple[str, ...]:
        """The canonical fields it fills, in the payload's order."""
        numbered = (self.sequence.field,) if self.sequence else ()
        return (*self.columns, *self.constants, *numbered)

    @property
    def whole_object(self) -> bool:
        """Whether the payload is the JSON record itself."""
        return self.format == "jsonl" and not self.columns

    @property
    def all_masks(self) -> dict[str, Mask]:
        """Its masks, with those of the canonical personal fields that it fills."""
        filled = PERSONAL_FIELDS if self.whole_object else self.fields
        return {name: mask for name, mask in PERSONAL_FIELDS.items() if name in filled} | self.masks

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change when the mapping does: a corrected mapping reads its files again."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def matches(self, file_name: str) -> bool:
        """Whether a file of this name (case does not matter, compression suffix optional) may have this layout."""
        name = file_name.lower()
        names = {name, *(name.removesuffix(suffix) for suffix in COMPRESSION_SUFFIXES)}
        return any(fnmatch.fnmatchcase(each, pattern.lower()) for each in names for pattern in self.pattern)


def field_columns(mapping: FileMapping, entity: Entity) -> dict[str, Column]:
    """A mapping's columns by field; for records that are their own payload those of key and change time."""
    if mapping.columns:
        return mapping.columns
    columns = {path: Column(column=(path,)) for path in entity.natural_key}
    if entity.updated_at:
        columns[entity.updated_at] = Column(column=(entity.updated_at,), type="datetime")
    return columns


def folded(name: str) -> str:
    """A column's name as compared: without outer blanks, case and runs of blanks."""
    return " ".join(name.split()).casefold()
