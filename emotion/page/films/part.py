"""The part of the page for films: the form, how far a film is, and what was found in it."""

import base64
import io
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import cv2
import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emotion.errors import FilmError
from emotion.page.addresses import read_pasted
from emotion.page.elements import show_problem
from emotion.page.films.asking import (
    FETCHED,
    MOST_SECONDS,
    Asked,
    fetch_film,
    name_of,
    piece_of,
    temporary_file,
)
from emotion.page.films.results import show_results
from emotion.page.films.running import FilmRun, Stage
from emotion.page.live.told import who_votes
from emotion.page.server import take_place
from emotion.page.state import visit
from emotion.streams.course import clock
from emotion.streams.films.watching import EVERY_SECONDS, Choice
from emotion.vote.ensemble import Ensemble

POLL_SECONDS: Final = 0.5
"""How often the page asks how far a film is."""

BUSY: Final = "All places of this server for films and webcams are taken. Try again in a minute."

_EVERY: Final = (EVERY_SECONDS, 0.5, 1.0, 2.0, 5.0)
"""Seconds from one vote to the next, to be chosen among."""


def show_films(models: Ensemble) -> None:
    """Draw the part.

    Parameters
    ----------
    models : Ensemble
    """
    state = visit()
    asked = _asked(is_first=state.film is None)
    if asked is not None:
        try:
            _begin(asked(), models)
        except FilmError as error:
            show_problem(str(error))
        else:
            st.rerun()
    run = state.film
    if run is None:
        return
    if run.models.origin != models.origin:
        began, chosen = (who_votes(of) for of in (run.models, models))
        st.text(f"These are votes of {began}. To have {chosen} vote: choose the film again.")
    if run.stage in (Stage.FETCHING, Stage.LOOKING):
        _show_progress(run)
    elif run.error and not run.moments:
        show_problem(run.error)
    else:
        show_results(run)


def _asked(*, is_first: bool) -> Callable[[], Asked] | None:
    """Draw the form, folded up once there is a film; where it was sent, give what reads it."""
    with st.expander("A film" if is_first else "Another film", expanded=is_first), st.form("film", border=False):
        left, right = st.columns(2, gap="medium")
        file = left.file_uploader("File of a film")
        with right:
            address = st.text_input("Or its address", placeholder="https://example.org/interview.mp4")
            with st.container(horizontal=True, vertical_alignment="center"):
                is_sent = st.form_submit_button("Recognise", type="primary")
                with st.popover("Which piece of it", icon=":material/tune:"):
                    start = st.text_input("From", placeholder="0:00", help="Minutes and seconds.")
                    end = st.text_input("To", placeholder="the end", help="Minutes and seconds.")
                    every = st.select_slider("Seconds between votes", _EVERY, EVERY_SECONDS)
        st.caption(
            f"MP4, MOV, WebM, MKV, AVI or an animated GIF: a file of at most {_most()} MB, or "
            f"{FETCHED.most_bytes // 1_000_000} MB behind an address. At most {MOST_SECONDS / 60:.0f} minutes of it "
            "are looked at. Tell the people in it that their expressions are read."
        )
    if not is_sent:
        return None
    return lambda: _read(file, address, *piece_of(start, end, every))


def _most() -> int:
    """Megabytes; what is larger, the browser refuses without a word to the server."""
    return int(st.get_option("server.maxUploadSize"))


def _read(file: UploadedFile | None, address: str, choice: Choice, wished_end: float) -> Asked:
    if file is not None and address.strip():
        raise FilmError("There are a file and an address: take one of them away.")
    if file is not None:
        return Asked(file.name, partial(io.BytesIO, file.getvalue()), _is_there, choice, wished_end)
    pasted = read_pasted(address)
    if pasted.problems:
        raise FilmError(pasted.problems[0])
    if not pasted.addresses:
        raise FilmError(f"There is nothing to look at: choose a film of at most {_most()} MB, or give an address.")
    found = pasted.addresses[0]
    return Asked(name_of(found), temporary_file, partial(fetch_film, found), choice, wished_end)


def _begin(asked: Asked, models: Ensemble) -> None:
    """Begin with a film, in place of the one before."""
    state = visit()
    run = FilmRun(asked, models, _watcher())
    for before in (state.film, state.stream, state.face.stream):
        if before is not None:
            before.on_ended()
    if not take_place(run):
        raise FilmError(BUSY)
    state.film, state.film_at = run, 0.0
    run.start()


def _is_there(_: Any) -> None:
    """Fill a file that is full."""


def _watcher() -> Callable[[], bool]:
    """Give what tells on any thread whether this visitor's browser has the page open, whatever part of it.

    Refreshes of the page would not say so: browsers slow those of a tab that nobody looks at down to one a minute.
    """
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: True
    return partial(runtime.get_instance().is_active_session, context.session_id)


def _show_progress(run: FilmRun) -> None:
    st.button("Stop", icon=":material/stop:", on_click=run.stop, help="What was found until then stays.")
    st.fragment(_refresh, run_every=POLL_SECONDS)(run)


def _refresh(run: FilmRun) -> None:
    """Draw what changes without anybody's doing."""
    if run.stage not in (Stage.FETCHING, Stage.LOOKING):
        st.rerun()
    st.progress(run.share or 0.0, _told_progress(run))
    picture = run.picture()
    if picture is not None:
        # Within the page: as files of their own, pictures would be kept until the page is drawn anew.
        encoded = base64.b64encode(cv2.imencode(".jpg", picture)[1].tobytes()).decode()
        at = clock(int(run.seconds))
        st.image(f"data:image/jpeg;base64,{encoded}", alt=f"The film at {at}, with a box around each face")


def _told_progress(run: FilmRun) -> str:
    if run.stage is Stage.FETCHING:
        megabytes = run.fetched_bytes // 1_000_000
        return f"Fetching the film: {megabytes} MB…" if megabytes else "Opening the film…"
    whole = "" if run.share is None else f" of {clock(int(run.end))}"
    left = run.seconds_left
    rest = "" if left is None else f"; about {clock(int(left + 1))} to go"
    return f"Looking for faces: {clock(int(run.seconds))}{whole}{rest}"
