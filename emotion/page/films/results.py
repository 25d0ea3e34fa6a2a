"""What was found in a film: the film with its boxes, a timeline and a summary of each face, and files to take home."""

from pathlib import PurePath
from typing import Final

import streamlit as st

from emotion.page.downloads import offer_download
from emotion.page.elements import show_heading, show_problem
from emotion.page.films.running import FilmRun, Stage
from emotion.page.films.timeline import SELECTION, stretches, timeline, timeline_data
from emotion.page.live.told import whose
from emotion.page.state import visit
from emotion.streams.course import clock
from emotion.streams.films.table import WHEN_COLUMNS, moment_rows
from emotion.streams.record import Summary, summaries
from emotion.streams.report import report_html
from emotion.streams.session.percents import shares_told
from emotion.streams.session.watched import length
from emotion.vote.sets import set_that_votes
from emotion.vote.tables import FACE_COLUMNS, to_csv, vote_columns

MOST_TIMELINES: Final = 6
"""Of the faces that were seen longest; others are told by number."""

_POLL_SECONDS: Final = 0.5
# Beside long timelines, and above them on a phone, the player stays in view, so that what a click does is seen.
_STAYS: Final = (
    "<style>"
    ".stColumn:has(.st-key-film_player) { position: sticky; top: 3.75rem; align-self: flex-start; z-index: 1; }"
    ".st-key-film_player video { max-height: 45vh; background: #000; }"
    "@media (max-width: 640px) { .st-key-film_player video { max-height: 34vh; } }"
    "</style>"
)


def show_results(run: FilmRun) -> None:
    """Draw what there is of a film that was looked at.

    Parameters
    ----------
    run : FilmRun, with at least one moment
    """
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(gap=None, width="content"):
            show_heading(run.asked.name)
            st.text(whose(run.models))
        _offer_downloads(run)
    if run.error:
        show_problem(run.error)
    for note in run.notes:
        st.info(note)
    if run.stage is Stage.WRITING:
        st.button("Stop", icon=":material/stop:", on_click=run.stop, help="What was found stays.")
        st.fragment(_refresh, run_every=_POLL_SECONDS)(run)
    if run.why:
        st.warning(f"No face was found in the film. {run.why}")
    st.fragment(_show)(run)


def _refresh(run: FilmRun) -> None:
    if run.stage is not Stage.WRITING:
        st.rerun()
    left = run.seconds_left
    rest = "" if left is None else f"; about {clock(int(left + 1))} to go"
    st.progress(run.share or 0.0, f"Writing the film with its boxes: {clock(int(run.seconds - run.begin))}{rest}")


def _show(run: FilmRun) -> None:
    """Draw the player, and what moves it: only this is drawn anew at a click."""
    found = summaries(run.moments, smoothed=True, lasts=run.asked.choice.every)
    if not run.annotated:
        _show_faces(run, found)
        return
    left, right = st.columns([2, 3], gap="large")
    with left.container(key="film_player"):
        st.html(_STAYS)
        begins = run.asked.choice.start
        at = max(0.0, visit().film_at - begins)
        st.video(run.annotated, start_time=at, alt="The film, with a box and the vote on each face")
        if begins:
            st.caption(f"0:00 here is {clock(begins)} in the film.")
    with right:
        _show_faces(run, found)


def _show_faces(run: FilmRun, found: dict[int, Summary]) -> None:
    longest = sorted(found, key=lambda number: -found[number].seconds)
    if longest:
        moves = "A click on a timeline moves the film there. " if run.annotated else ""
        st.caption(f"{moves}Pale: the vote is uncertain, or the expression improbable.")
    for number in sorted(longest[:MOST_TIMELINES]):
        _show_face(run, number, found[number])
    if others := sorted(longest[MOST_TIMELINES:]):
        named = ", ".join(map(str, others))
        st.text(f"Seen for less time, and only in the table: {'face' if len(others) == 1 else 'faces'} {named}.")


def _show_face(run: FilmRun, number: int, summary: Summary) -> None:
    told = (
        f"Seen for {length(summary.seconds)}: {shares_told(summary.shares)}. Longest stretch: {summary.longest_label}, "
        f"{length(summary.longest_seconds)}. Changes: {summary.changes}."
    )
    with st.container(gap=None):
        show_heading(f"Face {number}")
        st.text(told)
    key = f"film_{id(run)}_face_{number}"  # what was chosen in the timelines of another film is none of this one
    every = run.asked.choice.every
    begin, end = run.moments[0].seconds, run.moments[-1].seconds + every
    is_played = bool(run.annotated)
    st.vega_lite_chart(
        timeline_data(run.moments, number, run.models.classes, every),
        timeline(run.models.classes, begin, end, selects=is_played),
        width="stretch",
        key=key,
        on_select=(lambda: _move(key)) if is_played else "ignore",
        alt=f"Timeline of face {number}. {told}",
    )
    found = stretches(run.moments, number, every)
    if is_played and found[-1][0] > begin:
        _offer_stretches(found, number, f"{key}_to")


def _offer_stretches(found: list[tuple[float, str]], number: int, key: str) -> None:
    """Draw what moves the film as a click on the timeline does, for keys and for fingers."""

    def go() -> None:
        visit().film_at = found[st.session_state[key]][0]
        st.session_state[key] = None  # the same one can be chosen again

    st.selectbox(
        f"Go to a change of face {number}",
        range(len(found)),
        index=None,
        format_func=lambda place: f"{clock(found[place][0])} {found[place][1]}",
        placeholder="Go to a change",
        key=key,
        on_change=go,
        label_visibility="collapsed",
        width=220,
    )


def _move(key: str) -> None:
    """Take the film to what was clicked on; a click beside it changes nothing."""
    chosen = st.session_state[key].selection.get(SELECTION)
    if chosen:
        visit().film_at = float(chosen[0]["since"])


def _offer_downloads(run: FilmRun) -> None:
    stem = PurePath(run.asked.name).stem or "film"
    with st.container(horizontal=True, width="content"):
        offer_download("Votes as CSV", lambda: film_csv(run), f"{stem}.csv", "text/csv")
        offer_download("Report", lambda: film_report(run), f"{stem}.html", "text/html")
        if run.annotated:
            offer_download("Annotated film", lambda: run.annotated, f"{stem}-annotated.mp4", "video/mp4")


def film_csv(run: FilmRun) -> str:
    """Write the votes on a film as a table: one row a face and moment, and one without a face where none was seen.

    Parameters
    ----------
    run : FilmRun

    Returns
    -------
    str
        CSV with the columns `film`, `seconds`, `frame` (its number), those of `emotion.vote.tables.FACE_COLUMNS`
        (pixels of the film), those of `emotion.vote.tables.vote_columns` for the votes that the models gave,
        `smoothed_label`, and `models`, the name of the set that voted.
    """
    votes = vote_columns(run.models.classes, run.models.model_names)
    voted_by = set_that_votes(run.models).name
    rows = [row for moment in run.moments for row in moment_rows(run.asked.name, moment, len(votes), voted_by)]
    return to_csv(["film", *WHEN_COLUMNS, *FACE_COLUMNS, *votes, "smoothed_label", "models"], rows)


def film_report(run: FilmRun) -> str:
    """Write the report on a film.

    Parameters
    ----------
    run : FilmRun

    Returns
    -------
    str, an HTML document
    """
    return report_html(
        run.asked.name,
        run.moments,
        run.models.classes,
        run.models.model_names,
        set_that_votes(run.models).name,
        lasts=run.asked.choice.every,
        notes=run.notes,
    )
