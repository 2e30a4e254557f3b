"""From bytes to lines of text: encodings, byte order marks, and the exact bytes behind each line.

What belongs here: characters and physical lines. What does not: delimiters and quotes (``split``).
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

from retreasure_assets.errors import MalformedInputError

_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_NEWLINES = {"utf-16-le": b"\n\x00", "utf-16-be": b"\x00\n"}

#: One undecodable line is damage; two that make a tenth of the first block's lines are a wrong encoding.
_WRONG_LINES = 2
_WRONG_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Text:
    """A file's encoding, settled.

    Args:
        codec: Python's codec for its lines, with the byte order known.
        bom: the byte order mark it starts with, which belongs to no record.
    """

    codec: str
    bom: bytes = b""

    @property
    def newline(self) -> bytes:
        """The line feed as bytes."""
        return _NEWLINES.get(self.codec, b"\n")

    @property
    def carriage(self) -> bytes:
        """The carriage return as bytes."""
        return self.newline.replace(b"\n", b"\r")

    @property
    def wide(self) -> bool:
        """Whether a character takes two bytes or more, so that bytes cannot be searched for delimiters."""
        return self.codec in _NEWLINES


@dataclass(frozen=True, slots=True)
class Lines:
    """Physical lines of a block, in parallel lists.

    Args:
        raw: each line's bytes without its line feed (a carriage return before it stays).
        texts: the same as text, with the line feed, undecodable bytes as surrogates.
        undecodable: which of them (from 0) do not decode.
        text: the encoding.
        carriage: the carriage return as bytes, where the block has any.
        closed: whether the last line has a line feed.
    """

    raw: list[bytes]
    texts: list[str]
    undecodable: frozenset[int]
    text: Text
    carriage: bytes
    closed: bool

    def record(self, begin: int, end: int) -> bytes:
        """The exact bytes of the lines from ``begin`` up to ``end``, without the line end that closes them."""
        raw = self.raw[begin] if end == begin + 1 else self.text.newline.join(self.raw[begin:end])
        # An odd last byte of a 16-bit file would shift what looks like a carriage return.
        return raw.removesuffix(self.carriage) if self.carriage and len(raw) % len(self.carriage) == 0 else raw

    def rest(self, begin: int) -> bytes:
        """The exact bytes from line ``begin`` on."""
        raw = self.raw[begin:]
        return self.text.newline.join([*raw, b""] if self.closed and raw else raw)


def settle(head: bytes, declared: str, label: str) -> Text:
    """Compare what a mapping says about the encoding with a file's first bytes.

    Args:
        head: the first bytes, decompressed; a few hundred are enough.
        declared: the mapping's encoding.
        label: the file's name for messages.

    Raises:
        MalformedInputError: the file is evidently in another encoding.
    """
    found = next((codec for bom, codec in _BOMS.items() if head.startswith(bom)), None)
    bom = next((bom for bom in _BOMS if head.startswith(bom)), b"")
    if declared.startswith("utf-16"):
        guess = found or _guess_wide(head)
        codec = guess if declared == "utf-16" else declared
        if guess is None or codec != guess:
            raise _wrong(label, declared, found or ("another byte order" if guess else "a narrower encoding"))
        return Text(codec, bom)
    codec = "utf-8" if declared == "utf-8-sig" else declared
    if found is not None and (found != "utf-8" or codec != "utf-8"):
        raise _wrong(label, declared, found)
    if b"\x00" in head:
        raise _wrong(label, declared, "utf-16, or no text at all")
    return Text(codec, bom)


def _guess_wide(head: bytes) -> str | None:
    """UTF-16's byte order by where the zero bytes of ASCII characters stand."""
    low, high = head[0::2].count(0), head[1::2].count(0)
    if high > low:
        return "utf-16-le"
    return "utf-16-be" if low > high else None


def _wrong(label: str, declared: str, found: str) -> MalformedInputError:
    return MalformedInputError(
        f"The file {label} is not {declared} as its mapping says, but looks like {found}; nothing of it was loaded.",
        remedy="Save it in the mapping's encoding, or correct `encoding` in a mapping of your own.",
    )


def split_lines(block: bytes, text: Text) -> Lines:
    """Cut a block of whole lines; ``rest(0)`` of the result is the block again."""
    if text.wide:
        return _split_wide(block, text)
    raw = block.split(b"\n")
    closed = not raw[-1]
    if closed:
        raw.pop()
    try:
        # Lines end at line feeds alone: str.splitlines would also cut at a dozen other characters.
        texts = list(StringIO(block.decode(text.codec), newline="\n"))
        bad: frozenset[int] = frozenset()
    except UnicodeDecodeError:
        texts = [line.decode(text.codec, "surrogateescape") + "\n" for line in raw]
        bad = frozenset(index for index, line in enumerate(texts) if not _clean(line))
    return Lines(raw, texts, bad, text, text.carriage if b"\r" in block else b"", closed)


def _split_wide(block: bytes, text: Text) -> Lines:
    # Decoding and encoding again is exact, lone surrogates included; only an odd last byte has to be kept apart.
    even = len(block) & ~1
    pieces = block[:even].decode(text.codec, "surrogatepass").split("\n")
    odd = block[even:]
    closed = not pieces[-1] and not odd
    if closed:
        pieces.pop()
    raw = [piece.encode(text.codec, "surrogatepass") for piece in pieces]
    bad = {index for index, piece in enumerate(pieces) if not _clean(piece)}
    if odd:
        raw[-1] += odd
        bad.add(len(raw) - 1)
    return Lines(raw, [piece + "\n" for piece in pieces], frozenset(bad), text, text.carriage, closed)


def _clean(line: str) -> bool:
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def refuse_wrong_encoding(lines: Lines, declared: str, label: str) -> None:
    """Refuse a file whose first block shows that it is in another encoding throughout.

    Raises:
        MalformedInputError: too many lines do not decode.
    """
    wrong = len(lines.undecodable)
    if wrong >= _WRONG_LINES and wrong >= _WRONG_SHARE * len(lines.raw):
        raise MalformedInputError(
            f"The file {label} is not {declared} as its mapping says: {wrong} of its first {len(lines.raw)} lines "
            "cannot be decoded; nothing of it was loaded.",
            remedy="Save it in the mapping's encoding, or correct `encoding` in a mapping of your own.",
        )
