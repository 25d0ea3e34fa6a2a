"""What a visit keeps of webcam sessions that have ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Final

from emotion.page.camera import StreamProcessor
from emotion.streams.record import MOST_VOTES, SessionRecord
from emotion.streams.report import program_version
from emotion.streams.session.saved import SavedSession
from emotion.streams.session.watched import length
from emotion.vote.sets import set_that_votes

MOST_KEPT: Final = 5


@dataclass(frozen=True)
class Contents:
    """What there is in a session, without its votes.

    Attributes
    ----------
    file : str, the name of its file; empty where there is none
    begun : datetime, with its time zone; None where that is not known
    classes : tuple of str
    faces : tuple of int, the numbers of its faces, the one first that was seen longest
    told : str, how long it is, what is in it, and why it ended, in a line
    """

    file: str
    begun: datetime | None
    classes: tuple[str, ...]
    faces: tuple[int, ...]
    told: str

    @classmethod
    def of(cls, session: SavedSession, *, why: str = "", file: str = "") -> "Contents":
        """Look into a session; takes a third of a second where there are 50,000 votes.

        Parameters
        ----------
        session : SavedSession
        why : str, why it ended, a sentence; empty where that is not known
        file : str, the name of its file; empty where there is none

        Returns
        -------
        Contents
        """
        watched = session.watched()
        named = [length(watched.span.end - watched.span.start), _number(len(watched.found), "face")]
        if session.marks:
            named.append(_number(len(session.marks), "mark"))
        if file:
            named.append(f"by {session.voted_by}")
        told = f"{', '.join(named)}. {why}".rstrip()
        return cls(file, session.begun, session.classes, tuple(watched.found), told)

    def name(self, zone: tzinfo) -> str:
        """Give what tells it from others.

        Parameters
        ----------
        zone : tzinfo, of the visitor

        Returns
        -------
        str, the name of the file or the time of day when it began
        """
        return self.file or (f"Session {self.begun.astimezone(zone):%H:%M:%S}" if self.begun else "Session")


@dataclass
class Recorded:
    """A session of this visit that has ended.

    Attributes
    ----------
    session : SavedSession
    why : str, why it ended, a sentence
    record : SessionRecord, that it was taken from
    """

    session: SavedSession
    why: str
    record: SessionRecord

    @cached_property
    def contents(self) -> Contents:
        """What there is in it; looked at when it is asked for, and once."""
        return Contents.of(self.session, why=self.why)


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def session_of(stream: StreamProcessor) -> SavedSession:
    """Give all of a session, as it is now.

    Parameters
    ----------
    stream : StreamProcessor

    Returns
    -------
    SavedSession
    """
    models, settings, marking = stream.models, stream.settings, stream.record.marking
    return SavedSession(
        stream.record.moments(),
        marking.marks(),
        marking.pauses(),
        tuple(models.classes),
        tuple(models.model_names),
        set_that_votes(models).name,
        models.origin[1],
        settings.interval_seconds,
        settings.smoothing_seconds,
        settings.show_smoothed,
        program_version(),
    )


def keeping(newest: Recorded, before: Sequence[Recorded]) -> tuple[Recorded, ...]:
    """Put a session before those that are kept, and drop the oldest ones of which there are too many.

    Parameters
    ----------
    newest : Recorded, of a session; takes the place of what was kept of the same one
    before : sequence of Recorded, newest first

    Returns
    -------
    tuple of Recorded, newest first: at most `MOST_KEPT`, with at most `MOST_VOTES` votes in all of them together,
    though the newest always; none without a face
    """
    if not any(moment.faces for moment in newest.session.moments):
        return tuple(before)
    if before and before[0].record is newest.record and before[0].session == newest.session:
        return tuple(before)  # with what was found in it
    kept, votes = [newest], _votes(newest.session)
    for earlier in before:
        if earlier.record is newest.record:
            continue
        votes += _votes(earlier.session)
        if votes > MOST_VOTES or len(kept) == MOST_KEPT:
            break
        kept.append(earlier)
    return tuple(kept)


def _votes(session: SavedSession) -> int:
    return sum(max(len(moment.faces), 1) for moment in session.moments)
