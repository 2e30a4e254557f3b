"""What ``--faults`` says: which faults, on which face, how often.

What belongs here: the kinds of faults and the grammar. What does not: making them happen (``faults``).

Faults come in three sorts. Transport faults, repeated, shuffled, late and shifted records leave the data as they are:
a reader worth its name ends up with the same records. Defects are planted in single records, the same ones at every
reading, and belong in quarantine. Novelties (fields and values that nobody knows yet) must be survived.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from retreasure_assets.errors import ConfigurationError

#: What leaves the data as they are, and what a request meets.
KEEPING: Mapping[str, str] = {
    "429": "too many requests, with Retry-After in seconds, as a date, or without",
    "throttle": "the platform's own way to throttle, such as GraphQL's 200 with errors",
    "500": "internal server error",
    "502": "bad gateway, with a page of HTML",
    "503": "unavailable",
    "timeout": "no answer for `hold` seconds, then the connection ends",
    "cut": "the connection ends in the middle of the answer",
    "slow": "the answer comes in drops, over `drip` seconds",
    "garbled": "an answer that is no JSON, or only half of it",
    "token": "the access token has run out, and is refused from now on",
    "skew": "the server's clock is an hour off",
    "duplicate": "a record comes twice",
    "reorder": "a page's records come in another order",
    "late": "a record comes with the next page instead of its own",
    "shift": "the list has grown meanwhile: the last page's last record comes again",
}
#: What is planted in single records and belongs in quarantine.
DEFECTS: Mapping[str, str] = {
    "malformed": "text in place of the record",
    "missing": "a field that it is worthless without is left out",
    "null": "such a field is null",
    "totals": "its total does not follow from its parts",
}
#: What single records have that nobody knows yet.
NOVELTIES: Mapping[str, str] = {
    "unknown": "a field that the contract does not have",
    "enum": "a value that an open enumeration does not have",
}
#: Names for several kinds at once, which share the rate equally.
GROUPS: Mapping[str, Collection[str]] = {"defects": tuple(DEFECTS), "novelties": tuple(NOVELTIES)}
#: Seconds that can be set, and what they are by default.
SECONDS: Mapping[str, float] = {"hold": 2.0, "drip": 0.3, "retry": 1.0}

_PART = re.compile(r"^(?:(?P<face>[a-z_]+):)?(?:(?P<name>[a-z0-9_]+)=)?(?P<value>\d+(?:\.\d+)?)(?P<percent>%?)$")


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """How often what happens.

    Args:
        rates: face ("" for every one) -> kind ("" for any of KEEPING) -> probability, 0 to 1.
        seconds: see SECONDS.
    """

    rates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=lambda: dict(SECONDS))

    def kinds(self, face: str, possible: Collection[str]) -> dict[str, float]:
        """Each kind's probability at ``face``, of those that are possible there.

        What is said of the face itself goes before what is said of all; a rate without a kind is shared by all kinds
        of KEEPING that are possible and have none of their own.
        """
        found: dict[str, float] = {}
        for said in (self.rates.get("", {}), self.rates.get(face, {})):
            named = {kind: rate for kind, rate in said.items() if kind and kind in possible}
            if "" in said:
                rest = [kind for kind in KEEPING if kind in possible and kind not in named]
                found.update(dict.fromkeys(rest, said[""] / max(len(rest), 1)))
            found.update(named)
        return found


def parse_faults(text: str, faces: Collection[str]) -> FaultSpec:
    """Read a SPEC.

    Args:
        text: such as ``10%`` or ``429=5%,etsy:500=20%,hold=90``.
        faces: the names of the faces there are.

    Raises:
        ConfigurationError: it cannot be understood, or a rate is beyond 100 %.
    """
    rates: dict[str, dict[str, float]] = {}
    seconds = dict(SECONDS)
    for part in filter(None, re.split(r"[,\s]+", text)):
        match = _PART.match(part)
        if match is None:
            raise _misread(part, "it is none of RATE%, KIND=RATE%, FACE:KIND=RATE% and SECONDS=NUMBER")
        face, name, value = match["face"] or "", match["name"] or "", float(match["value"])
        if name in SECONDS and not match["percent"] and not face:
            seconds[name] = value
            continue
        if face and face not in faces:
            raise _misread(part, f"the faces are {', '.join(sorted(faces))}")
        if not match["percent"] or value > 100:
            raise _misread(part, "a rate is 0% to 100%")
        for kind in GROUPS.get(name, (name,)):
            if kind and kind not in {**KEEPING, **DEFECTS, **NOVELTIES}:
                raise _misread(part, f"the kinds are {', '.join((*KEEPING, *DEFECTS, *NOVELTIES, *GROUPS))}")
            rates.setdefault(face, {})[kind] = value / 100 / len(GROUPS.get(name, (name,)))
    for face, kinds in rates.items():
        if sum(rate for kind, rate in kinds.items() if kind not in {**DEFECTS, **NOVELTIES}) > 1 + 1e-9:
            raise _misread(f"{face or 'every face'}", "its rates are more than 100 % together")
    return FaultSpec(rates, seconds)


def _misread(part: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The fault {part!r} cannot be understood: {why}.", remedy="See `retreasure sandbox --help`."
    )
