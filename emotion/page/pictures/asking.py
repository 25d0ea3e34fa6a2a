"""What a visitor asks to be looked at, and what is said of what cannot be shown."""

import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from html import escape
from typing import Final

import streamlit as st

from emotion.errors import EmotionError, FetchError, WebPageError
from emotion.page.addresses import fetch_picture
from emotion.page.elements import FAULT, show_alert, show_problem
from emotion.page.recognition import RecognizedPicture, recognize_picture, voted_anew
from emotion.page.server import REQUEST_SECONDS, turn_to_fetch
from emotion.page.state import Problem, Request, Source, visit
from emotion.vote.ensemble import Ensemble

log = logging.getLogger(__name__)

MOST_PICTURES: Final = 20
"""At one time; fetched and recognised one after the other."""


def fetching(addresses: Sequence[str]) -> list[Source]:
    """Give what fetches pictures, all within one time.

    Parameters
    ----------
    addresses : sequence of str

    Returns
    -------
    list of Source
    """
    left = REQUEST_SECONDS

    def fetched(address: str) -> bytes:
        nonlocal left
        if left <= 0:
            raise FetchError("The addresses before it took too long: ask for fewer at a time.")
        start = time.monotonic()
        try:
            with turn_to_fetch(left):
                return fetch_picture(address, left - (time.monotonic() - start))
        finally:
            left -= time.monotonic() - start

    return [(address, partial(fetched, address)) for address in addresses]


def ask_for(sources: list[Source], problems: Sequence[str] = ()) -> None:
    """Note what this visitor asks for, in place of what was asked for before; `answered` looks at it.

    Parameters
    ----------
    sources : list of Source
    problems : sequence of str, with what else was asked for
    """
    is_one_of_several = len(sources) + len(problems) > 1
    request = Request(sources[:MOST_PICTURES], prefixed=is_one_of_several, problems=[*map(Problem, problems)])
    if len(sources) > MOST_PICTURES:
        request.note = f"At most {MOST_PICTURES} pictures at a time; the first {MOST_PICTURES} are shown."
    visit().request = request


def answered(models: Ensemble) -> list[RecognizedPicture]:
    """Look at what this visitor asked for last, say why there is nothing to show of some, and give the others with the
    votes of these models, whoever voted on some of them before.

    Whatever a visitor presses meanwhile breaks the drawing of the page off; the next one goes on here.

    Parameters
    ----------
    models : Ensemble

    Returns
    -------
    list of RecognizedPicture
    """
    request = visit().request
    while True:
        is_done = not request.pending and request.voted_by == models.origin  # at a glance; in its turn, a drawing knows
        # A drawing that was broken off ends where it next draws, which is after its turn.
        with nullcontext() if is_done else st.spinner(_progress(request, models)), request.turn:
            if request.voted_by != models.origin:
                request.pictures = [voted_anew(picture, models) for picture in request.pictures]
                request.voted_by = models.origin
            elif request.pending:
                _look_at_next(request, models)
            else:
                pictures, problems = list(request.pictures), list(request.problems)
                break
    if request.note:
        st.info(request.note)
    _show_problems(problems, n_shown=len(pictures))
    for number, problem in enumerate(problems):
        if problem.main_picture:
            _offer_main_picture(request, problem, number)
    return pictures


def _progress(request: Request, models: Ensemble) -> str:
    if request.voted_by not in (None, models.origin):
        return "Voting anew…"
    n_done = len(request.pictures) + len(request.problems)
    n_all = n_done + len(request.pending)
    return f"Looking for faces: picture {n_done + 1} of {n_all}…" if n_all > 1 else "Looking for faces…"


def _look_at_next(request: Request, models: Ensemble) -> None:
    name, read = request.pending[0]
    prefix = f"{name}: " if request.prefixed else ""
    try:
        request.pictures.append(recognize_picture(name, read(), models))
    except EmotionError as error:
        main_picture = error.main_picture if isinstance(error, WebPageError) else ""
        request.problems.append(Problem(f"{prefix}{error}", main_picture))
    except Exception:  # a fault of ours: the visitor gets a sentence, the log the traceback
        log.exception("a picture could not be recognised")
        request.problems.append(Problem(f"{prefix}{FAULT}"))
    request.pending.pop(0)


def _show_problems(problems: Sequence[Problem], *, n_shown: int) -> None:
    """Draw one box for all of them; beside pictures, several are folded, so that those are not pushed out of view."""
    if not problems:
        return
    if len(problems) == 1:
        show_problem(problems[0].told)
        return
    lines = "".join(f'<li style="white-space: pre-wrap">{escape(problem.told)}</li>' for problem in problems)
    is_open = "" if n_shown else " open"
    show_alert(
        f'<details{is_open}><summary style="cursor: pointer">{len(problems)} addresses or files could not be shown'
        f'</summary><ul style="margin: 0.5rem 0 0">{lines}</ul></details>'
    )


def _offer_main_picture(request: Request, problem: Problem, number: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        is_pressed = st.button("Open the page's main picture", key=f"main_picture_{number}")
        st.text(problem.main_picture)
    if is_pressed:
        with request.turn:
            if problem in request.problems:  # of two presses, one counts
                request.problems.remove(problem)
                request.pending += fetching([problem.main_picture])
                request.prefixed = True  # nobody has seen that address yet
        st.rerun()
