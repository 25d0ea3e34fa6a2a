"""The panel of a vote, drawn by the browser in place: what is under the pointer stays when there is something new."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import streamlit as st

from emotion.page.elements import text_of
from emotion.page.live.told import said_of, whose
from emotion.streams.drawing import expression_colour
from emotion.streams.record import Moment, held_votes, without_pauses
from emotion.streams.session.marks import Pause, TimeMark
from emotion.vote.ensemble import Ensemble
from emotion.vote.voting import Vote

COURSE_SECONDS: Final = 60.0
"""What is shown of the course of a session: its last minute."""

_LEAST_SECONDS: Final = 15.0
"""In the first minute, what there is of the session takes the whole width, from so many seconds on."""

_HERE: Final = Path(__file__).parent
_HTML: Final = '<section class="live" aria-label="Vote"></section>'


def show_vote(vote: Vote, models: Ensemble, key: str) -> None:
    """Draw a vote that stays as it is.

    Parameters
    ----------
    vote : Vote
    models : Ensemble, that cast it
    key : str, of this panel among those of the page
    """
    _mount(key, {**_names(models), **vote_data(vote, vote, models)})


def show_live(key: str, models: Ensemble, shown: Mapping[str, Any]) -> None:
    """Draw the panel of a video.

    Parameters
    ----------
    key : str, of this panel among those of the page
    models : Ensemble, that vote
    shown : mapping, of what is known now
        May have what `vote_data` and `course_data` (under `course`) give, and: `notice` (str, in place of a label),
        `said` (str, in place of what the vote says), `old` (bool, whether it is of a time that is over), `faces` (list
        of [number, whether it is there]), `face` (the number that is shown), `ring` (`votes`, how many there were,
        `left` and `every`, seconds), `sum` (str).
    """
    _mount(key, {**_names(models), "course": {}, "faces": [], **shown})


def pressed_face(key: str) -> int | None:
    """Give the face that the visitor has pressed on the panel of this key.

    Parameters
    ----------
    key : str

    Returns
    -------
    int, its number; None as long as none was pressed
    """
    number = st.session_state.get(key, {}).get("face")
    return number if isinstance(number, int) else None  # a browser may send anything


def _mount(key: str, data: dict[str, Any]) -> None:
    css, js = (text_of(_HERE / f"panel.{kind}") for kind in ("css", "js"))
    panel = st.components.v2.component("vote_panel", html=_HTML, css=css, js=js)
    panel(key=key, data=data, default={"face": None}, on_face_change=lambda: None)


def _names(models: Ensemble) -> dict[str, Any]:
    return {
        "classes": list(models.classes),
        "colours": [expression_colour(place) for place in range(len(models.classes))],
        "models": list(models.model_names),
        "whose": whose(models),
    }


def vote_data(vote: Vote, glance: Vote, models: Ensemble) -> dict[str, Any]:
    """Gather what the panel shows of a vote.

    Parameters
    ----------
    vote : Vote, the last one
    glance : Vote, what one would come to now: whose probabilities are drawn
    models : Ensemble, that cast it

    Returns
    -------
    dict of `label`, `ballots` (classes), `shares` (0-1, in the order of the classes), what is `told` of each (str),
    `sure` (bool) and `said` (str)
    """
    return {
        "label": vote.label,
        "ballots": list(vote.ballots),
        "shares": [glance.probabilities.get(label, 0.0) for label in models.classes],
        "told": [f"{glance.probabilities.get(label, 0.0):.0%}" for label in models.classes],
        "sure": not vote.uncertain,
        "said": said_of(vote, models.calibration.uncertain_below),
    }


def course_data(
    moments: Sequence[Moment],
    number: int | None,
    now: float,
    *,
    smoothed: bool,
    marks: Sequence[TimeMark] = (),
    pauses: Sequence[Pause] = (),
) -> dict[str, Any]:
    """Gather the course of a face through the last minute of a session.

    Parameters
    ----------
    moments : sequence of Moment, oldest first
    number : int, of the face; None where none is shown
    now : float, seconds of the session, >= those of the last moment
    smoothed : bool, whether smoothed votes are shown, or those that the models gave
    marks : sequence of TimeMark
    pauses : sequence of Pause

    Returns
    -------
    dict
        `seconds` (how long), `end` (now, in milliseconds of the Unix epoch; None before the first moment), and lists,
        whose times are seconds before now, <= 0: `votes` of [from, to, class, probability, whether uncertain], `marks`
        of [time, word] and `pauses` of [from, to].
    """
    begin = now - COURSE_SECONDS
    first_seconds = moments[0].seconds if moments else now
    before = bisect_left(moments, begin, key=lambda moment: moment.seconds) - 1
    recent = without_pauses(moments[max(0, before) :], pauses, COURSE_SECONDS)
    votes = (
        []
        if number is None
        else [
            [_at(start, now), _at(end, now), vote.label, round(vote.probabilities[vote.label], 3), vote.uncertain]
            for start, end, vote in held_votes(recent, number, now, smoothed=smoothed)
            if end > begin
        ]
    )
    first = moments[-1].utc if moments else None
    return {
        "seconds": round(min(COURSE_SECONDS, max(_LEAST_SECONDS, now - first_seconds)), 2),
        "end": None if first is None else _milliseconds(first) + round(1000 * (now - moments[-1].seconds)),
        "votes": votes,
        "marks": [[_at(mark.seconds, now), mark.text] for mark in marks if begin <= mark.seconds <= now],
        "pauses": [
            [_at(pause.start, now), _at(min(pause.end, now), now)]
            for pause in pauses
            if pause.end > begin and pause.start < now
        ],
    }


def _at(seconds: float, now: float) -> float:
    """Give a time as one before now, at most a course long ago."""
    return round(max(seconds - now, -COURSE_SECONDS), 2)


def _milliseconds(moment: datetime) -> int:
    return round(1000 * moment.timestamp())
