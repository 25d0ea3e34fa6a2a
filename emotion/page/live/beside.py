"""What stands beside the video of the webcam: the vote on one face, and the last minute of it."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import streamlit as st

from emotion.page.camera import CAUSES, LEFT, StreamProcessor
from emotion.page.live.panel import COURSE_SECONDS, course_data, pressed_face, show_live, vote_data
from emotion.page.live.told import said_of, summed_up, who_votes
from emotion.page.sessions.files import zone_of_visitor
from emotion.page.sessions.kept import session_of
from emotion.page.state import visit
from emotion.streams.record import MOST_VOTES, Moment
from emotion.streams.session.saved import SavedSession
from emotion.streams.session.watched import Watched, length
from emotion.streams.webcam import NOTICES, State
from emotion.vote.ensemble import Ensemble

_BEFORE: Final = "Press Start and allow the browser to use the camera."

_AWAY_SECONDS: Final = 3.0
"""So long the panel stays with a face that nobody chose and that is not found, before it turns to another."""

_LISTED_SECONDS: Final = 10.0
"""So long a face that has left can still be chosen: buttons do not move when somebody looks away."""

_MOST_LISTED: Final = 8

_PALE_VIDEO: Final = "<style>iframe[title*='webrtc'] { filter: grayscale(1); opacity: 0.5; }</style>"
"""The last picture stands still with the vote that is drawn in it: nobody is to take that for what is now."""


def show_panel(running: StreamProcessor | None, refusal: str, models: Ensemble) -> None:
    """Draw the last vote on the face that is shown, and the last minute of it.

    Parameters
    ----------
    running : StreamProcessor, optional, of the session that goes on
    refusal : str, one of `emotion.page.camera.CAUSES` if the browser has said so of the camera
    models : Ensemble, that are chosen now
    """
    stream = running or visit().stream
    if stream is None:
        show_live("live", models, {"notice": _BEFORE})
        return
    key = f"live_{id(stream)}"
    moments, marking = stream.record.moments(), stream.record.marking
    number = _face_to_show(stream, moments, pressed_face(key))
    smoothed = stream.settings.show_smoothed
    if running is None:
        session = session_of(stream)
        watched = session.watched()
        shown = _ended(stream, session, watched, number)
        now = watched.span.end
        summary = watched.found.get(number) if number is not None else None
    else:
        shown = _now(stream, moments, number, refusal)
        now = stream.session_seconds
        summary = None if number is None else stream.record.summary(number, smoothed=smoothed)
        if running.models.origin != models.origin:
            began, chosen = (who_votes(of) for of in (running.models, models))
            st.text(f"This session goes on with {began}, as it began. To have {chosen} vote: press Stop, then Start.")
    shown["course"] = course_data(
        moments, number, now, smoothed=smoothed, marks=marking.marks(), pauses=marking.pauses()
    )
    if number is not None and summary is not None:
        shown["sum"] = summed_up(number, summary)
    if stream.record.dropped:
        kept = f"Of this session, the last {MOST_VOTES:,} votes are kept."
        shown["sum"] = f"{shown.get('sum', '')} {kept}".strip()
    show_live(key, stream.models, shown | {"face": number})


def _face_to_show(stream: StreamProcessor, moments: Sequence[Moment], pressed: int | None) -> int | None:
    """Give the face that was pressed, or else one that the panel stays with as long as it is there."""
    state = visit()
    if pressed is not None:
        state.pressed = pressed
    if state.pressed is not None:
        return state.pressed
    here = [face.number for face in stream.snapshot.faces]
    if here and state.watched not in here:
        since = stream.session_seconds - max(_AWAY_SECONDS, 1.5 * stream.settings.interval_seconds)
        lately = {face.number for moment in moments[-20:] if moment.seconds >= since for face in moment.faces}
        if state.watched not in lately:
            state.watched = here[0]
    if state.watched is None:
        return next((face.number for moment in reversed(moments) for face in moment.faces), None)
    return state.watched


def _now(stream: StreamProcessor, moments: Sequence[Moment], number: int | None, refusal: str) -> dict[str, Any]:
    """Gather what there is of a session that goes on."""
    snapshot, smoothed = stream.snapshot, stream.settings.show_smoothed
    if snapshot.state is State.FAULT:
        return {"notice": NOTICES[State.FAULT]}
    if snapshot.state is State.STALLED or refusal == "ended":
        st.html(_PALE_VIDEO)
        return {"notice": CAUSES[refusal or "stalled"], "said": _last_vote(stream, moments, number)}
    here = {face.number: face for face in snapshot.faces}
    shown: dict[str, Any] = {
        "faces": _faces(moments, stream.session_seconds - _LISTED_SECONDS, here, number),
        "ring": {
            "votes": snapshot.votes,
            "left": round(snapshot.seconds_to_vote, 2),
            "every": stream.settings.interval_seconds,
        },
    }
    face = here.get(number) if number else None
    if face is not None:
        vote, glance = (known.shown(smoothed=smoothed) for known in (face, snapshot.glances.get(face.number, face)))
        shown |= vote_data(vote, glance, stream.models)
    if any(stream.session_seconds in pause for pause in stream.record.marking.pauses()):
        shown["said"] = "Paused: what happens now is left out of table, report and sums."
    elif snapshot.state is State.SLOW:
        shown["said"] = NOTICES[State.SLOW]
    if face is None and here:
        shown["notice"] = f"Face {number} is not in the picture."
    elif face is None:
        state = State.WAITING if snapshot.state is State.FACES else snapshot.state
        why = f". {snapshot.why}" if snapshot.why and state is State.NO_FACE else ""
        shown["notice"] = f"{NOTICES[state]}{why}"
    return shown


def _faces(
    moments: Sequence[Moment], since: float, here: Collection[int], number: int | None
) -> list[tuple[int, bool]]:
    """List the faces that can be chosen, and whether each is there: those of late, too, so that no button moves away
    from under the pointer.
    """
    lately = {face.number for moment in moments if moment.seconds >= since for face in moment.faces}
    listed = sorted(lately | set(here))[-_MOST_LISTED:]
    if number is not None and number not in listed:
        listed = sorted([number, *listed])
    return [(known, known in here) for known in listed]


def _last_vote(stream: StreamProcessor, moments: Sequence[Moment], number: int | None) -> str:
    last = next(((m.seconds, f) for m in reversed(moments) for f in m.faces if number in (None, f.number)), None)
    if last is None:
        return ""
    seconds, face = last
    vote = face.shown(smoothed=stream.settings.show_smoothed)
    said = said_of(vote, stream.models.calibration.uncertain_below)
    return f"The last vote, {stream.session_seconds - seconds:.0f} s ago, was {vote.label}. {said}"


def _ended(stream: StreamProcessor, session: SavedSession, watched: Watched, number: int | None) -> dict[str, Any]:
    """Gather what was last known of a session that is over."""
    moments = session.moments
    if not moments:
        return {"notice": _BEFORE}
    at = f" began at {session.begun.astimezone(zone_of_visitor()):%H:%M} and" if session.begun else ""
    why = f"{LEFT} " if stream.why_ended == LEFT else ""
    told = f"This session{at} lasted {length(watched.span.end - watched.span.start)}. {why}Press Start for another one."
    last = next((f for m in reversed(moments) for f in m.faces if number in (None, f.number)), None)
    if last is None:
        return {"notice": told}
    vote = last.shown(smoothed=watched.smoothed)
    faces = _faces(moments, moments[-1].seconds - COURSE_SECONDS, list(watched.found), number)
    return vote_data(vote, vote, stream.models) | {"old": True, "said": told, "faces": faces}
