"""A session as a file of its owner's: written, and read without trust."""

import csv
import io
import itertools
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from emotion.errors import SessionError
from emotion.faces.files.kinds import kind_of
from emotion.faces.files.texts import FIRST_BYTES
from emotion.streams.record import MOST_VOTES, Moment
from emotion.streams.session.cells import columns_of, moments_of, rows_of, shielded, unshielded
from emotion.streams.session.marks import MOST_CHARACTERS, MOST_MARKS, Pause, TimeMark, one_line
from emotion.streams.session.watched import Watched
from emotion.vote.tables import csv_rows

FILE_FORMAT: Final = 1
MOST_FILE_BYTES: Final = 50_000_000
"""What the page takes; 50,000 votes of seven expressions take about 10."""
MOST_CLASSES: Final = 50
MOST_NAME: Final = 255
"""Characters of a name."""

_ABOUT, _VOTES, _MARKS = "session.json", "votes.csv", "marks.csv"
_MOST_BYTES: Final = {_ABOUT: 100_000, _VOTES: 100_000_000, _MARKS: 1_000_000}
"""Of each file in it, unpacked."""
_MARK_COLUMNS: Final = ["kind", "seconds", "end", "text"]
_DIRECTORY_END: Final = 22
"""Bytes: the end of a ZIP file, where it has no comment (APPNOTE.TXT, 4.3.16)."""
_MOST_DIRECTORY: Final = 2_000
_MOST_LINE: Final = 200_000
"""Characters: a vote on 50 classes with long names has fewer."""


@dataclass(frozen=True)
class SavedSession:
    """All of a session.

    Attributes
    ----------
    moments : tuple of Moment, oldest first, each later than the one before
    marks : tuple of TimeMark, oldest first
    pauses : tuple of Pause, oldest first; none overlaps another
    classes : tuple of str
    model_names : tuple of str, in the order of the ballots
    voted_by : str, the name of the set of models
    fingerprint : str, the checksum of these models (`Ensemble.origin`)
    interval_seconds : float, > 0, from one vote to the next, as it was set last
    smoothing_seconds : float, >= 0, the time constant of the smoothed votes, as it was set last
    smoothed : bool, whether smoothed votes were shown, or those that the models gave
    software : str, the version of the program that recorded it
    """

    moments: tuple[Moment, ...]
    marks: tuple[TimeMark, ...]
    pauses: tuple[Pause, ...]
    classes: tuple[str, ...]
    model_names: tuple[str, ...]
    voted_by: str
    fingerprint: str
    interval_seconds: float
    smoothing_seconds: float
    smoothed: bool
    software: str

    @property
    def begun(self) -> datetime | None:
        """When the first frame was, with its time zone; None where that is not known."""
        first = self.moments[0] if self.moments else None
        return first.utc - timedelta(seconds=first.seconds) if first and first.utc else None

    def watched(self) -> Watched:
        """Sum it up; takes a third of a second where there are 50,000 votes.

        Returns
        -------
        Watched
        """
        return Watched.of(
            self.moments,
            self.classes,
            smoothed=self.smoothed,
            lasts=self.interval_seconds,
            marks=self.marks,
            pauses=self.pauses,
        )


def save_session(session: SavedSession) -> bytes:
    """Write a session into a file from which `open_session` gives the same again.

    Parameters
    ----------
    session : SavedSession

    Returns
    -------
    bytes
        A ZIP file with `votes.csv`, a row a face and moment with every digit; `marks.csv`, marks and pauses; and
        `session.json`, all else.
    """
    about = {
        "format": FILE_FORMAT,
        "software": session.software,
        "begun": session.begun.isoformat() if session.begun else None,
        "models": session.voted_by,
        "fingerprint": session.fingerprint,
        "classes": session.classes,
        "model_names": session.model_names,
        "interval_seconds": session.interval_seconds,
        "smoothing_seconds": session.smoothing_seconds,
        "smoothed": session.smoothed,
    }
    marked = [
        *(["mark", repr(mark.seconds), "", shielded(mark.text)] for mark in session.marks),
        *(["pause", repr(pause.start), repr(pause.end), ""] for pause in session.pauses),
    ]
    named = session.classes, session.model_names
    texts = {
        _ABOUT: json.dumps(about, ensure_ascii=False, indent=1) + "\n",
        _VOTES: csv_rows(itertools.chain([columns_of(*named)], rows_of(session.moments, *named))),
        _MARKS: csv_rows([_MARK_COLUMNS, *marked]),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return out.getvalue()


def open_session(content: bytes) -> SavedSession:
    """Read what `save_session` wrote; whatever else somebody has put into such a file is refused.

    Nothing is written to disk, and no more is unpacked than a session may hold.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    SavedSession

    Raises
    ------
    SessionError
        If it is too large, is no such file, is encrypted, is damaged, or is of a later version of this program.
    """
    if len(content) > MOST_FILE_BYTES:
        raise SessionError(
            f"The file is larger than {MOST_FILE_BYTES // 1_000_000} MB, and no session is: choose another file."
        )
    if not content.startswith(b"PK\x03\x04"):
        kind = kind_of(content[:FIRST_BYTES])
        named = f"This is {kind.name}, not" if kind.name.startswith(("a ", "an ")) else "This is not"
        raise SessionError(f"{named} a saved session: choose the ZIP file that was saved.")
    try:
        with _archive(content) as archive:
            about = _read_about(archive)
            marks, pauses = _read_marks(archive)
            classes, model_names = about["classes"], about["model_names"]
            rows = _rows(archive, _VOTES, columns_of(classes, model_names), MOST_VOTES)
            moments = tuple(moments_of(rows, classes, model_names))
    except _DAMAGE as error:
        raise SessionError("The saved session is damaged: use another copy of the file.") from error
    return SavedSession(moments, marks, pauses, **about)


_DAMAGE: Final = (
    *(ValueError, LookupError, TypeError, OverflowError, RecursionError, csv.Error),
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError),
)
"""What reading numbers, texts and tables, and Python's reader of ZIP files, raise for files that others have made."""


def _archive(content: bytes) -> zipfile.ZipFile:
    """Open a ZIP file, but only one that lists few files: Python would take any number of them into memory."""
    end = content[-_DIRECTORY_END:]
    is_listed = len(end) == _DIRECTORY_END and end.startswith(b"PK\x05\x06") and end.endswith(b"\0\0")
    size, begin = int.from_bytes(end[12:16], "little"), int.from_bytes(end[16:20], "little")
    is_large = content[-_DIRECTORY_END - 20 : -_DIRECTORY_END].startswith(b"PK\x06\x07")  # ZIP64's own end
    if not is_listed or begin + size + _DIRECTORY_END != len(content):
        raise SessionError("The saved session was cut off or changed: use another copy of the file.")
    if is_large or size > _MOST_DIRECTORY:
        raise SessionError("This ZIP file is not a saved session: choose the one that was saved.")
    archive = zipfile.ZipFile(io.BytesIO(content))
    members = archive.infolist()
    if sorted(member.orig_filename for member in members) != sorted(_MOST_BYTES):
        raise SessionError("This ZIP file holds other files than a saved session does: choose the one that was saved.")
    for member in members:
        if member.flag_bits & 1:
            raise SessionError("The saved session is encrypted: unpack it, and pack it again without a password.")
        if member.file_size > _MOST_BYTES[member.filename]:
            raise SessionError("The saved session holds more than a session can: use another copy of the file.")
        # The decoders of other methods give out as much at a time as a file likes.
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("packed in another way")
    return archive


def _read_about(archive: zipfile.ZipFile) -> dict[str, Any]:
    whole = json.loads(archive.read(_ABOUT).decode("utf-8-sig"), parse_constant=_no_number)
    if isinstance(whole["format"], int) and whole["format"] > FILE_FORMAT:
        raise SessionError("This session was saved by a later version of this program: use that, or a newer one.")
    if whole["format"] != FILE_FORMAT or isinstance(whole["format"], bool):
        raise ValueError("no format of ours")
    classes, model_names = _names(whole, "classes"), _names(whole, "model_names")
    if not isinstance(whole["smoothed"], bool):
        raise ValueError("neither true nor false")
    interval, smoothing = (_seconds_of(whole[name]) for name in ("interval_seconds", "smoothing_seconds"))
    if not interval:
        raise ValueError("votes without end")
    texts = {name: whole[name] for name in ("models", "fingerprint", "software")}
    if not all(isinstance(text, str) and text == one_line(text) and len(text) <= MOST_NAME for text in texts.values()):
        raise ValueError("no texts")
    return {
        "classes": classes,
        "model_names": model_names,
        "voted_by": texts["models"],
        "fingerprint": texts["fingerprint"],
        "interval_seconds": interval,
        "smoothing_seconds": smoothing,
        "smoothed": whole["smoothed"],
        "software": texts["software"],
    }


def _names(whole: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = whole[key]
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_CLASSES or len(set(names)) < len(names):
        raise ValueError(f"no {key}")
    if not all(isinstance(name, str) and name and name == one_line(name) and len(name) <= MOST_NAME for name in names):
        raise ValueError(f"no {key}")
    return tuple(names)


def _seconds_of(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e6:
        raise ValueError(f"no seconds: {value!r}")
    return float(value)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _read_marks(archive: zipfile.ZipFile) -> tuple[tuple[TimeMark, ...], tuple[Pause, ...]]:
    marks, pauses = [], []
    for kind, seconds, end, text in _rows(archive, _MARKS, _MARK_COLUMNS, 2 * MOST_MARKS):
        said = unshielded(text)
        if kind == "mark" and not end and 1 <= len(said) <= MOST_CHARACTERS and said == one_line(said):
            marks.append(TimeMark(float(seconds), said))
        elif kind == "pause" and not text:
            pauses.append(Pause(float(seconds), float(end)))
        else:
            raise ValueError(f"neither a mark nor a pause: {kind!r}")
    times = [time for pause in pauses for time in (pause.start, pause.end)]
    if times != sorted(times) or [mark.seconds for mark in marks] != sorted(mark.seconds for mark in marks):
        raise ValueError("out of turn")
    return tuple(marks), tuple(pauses)


def _rows(archive: zipfile.ZipFile, name: str, columns: list[str], most: int) -> Iterator[list[str]]:
    """Give the rows of a table, one at a time."""
    with io.TextIOWrapper(archive.open(name), "utf-8-sig", newline="") as text:
        table = csv.reader(_lines(text), strict=True)
        if next(table, None) != columns:
            raise ValueError("other columns")
        for number, row in enumerate(table):
            if len(row) != len(columns) or number >= most:
                raise ValueError("too few, or too many cells")
            yield row


def _lines(text: io.TextIOBase) -> Iterable[str]:
    while line := text.readline(_MOST_LINE):
        yield line
