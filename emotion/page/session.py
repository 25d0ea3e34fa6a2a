"""What a visitor takes home of a webcam session: its files, with marks and pauses; and a saved one, opened again."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import streamlit as st

from emotion.errors import SessionError
from emotion.faces.pixels import BGRImage
from emotion.page.camera import StreamProcessor
from emotion.page.elements import MOST_UPLOAD_MB, show_problem
from emotion.page.recognition import encode_png
from emotion.streams.drawing import draw_notice
from emotion.streams.report import program_version, report_html
from emotion.streams.session.comparison import Side, comparison_html
from emotion.streams.session.marks import MOST_CHARACTERS
from emotion.streams.session.saved import SavedSession, open_session, save_session
from emotion.streams.session.table import session_csv, session_name
from emotion.streams.webcam import NOTICES
from emotion.vote.sets import set_that_votes


def show_session_files(stream: StreamProcessor) -> None:
    """Draw what sets marks and pauses, and the buttons of what can be taken home; what they give is made when it is
    asked for.

    Not in a fragment that refreshes: each time it would register them anew, and a press on the old ones would be lost.

    Parameters
    ----------
    stream : StreamProcessor, of the session, which may have ended
    """
    if not stream.ended:
        _offer_marks(stream)
    begun = session_of(stream).begun or datetime.now(UTC)
    with st.container(horizontal=True):
        _offer_files(lambda: session_of(stream), begun)
        st.download_button(
            "Annotated snapshot",
            lambda: encode_png(_last_picture(stream)),
            session_name(_here(begun), "png").replace("session", "snapshot", 1),
            "image/png",
            on_click="ignore",
        )


def show_saved_session() -> None:
    """Draw what opens a session that was saved, and shows what is in it."""
    with st.expander("Open a saved session", icon=":material/folder_open:"):
        files = st.file_uploader(
            "Sessions that Save wrote, one or two",
            accept_multiple_files=True,
            max_upload_size=MOST_UPLOAD_MB,
            key="session_file",
        )
        try:
            sides = [Side(file.name, open_session(file.getvalue())) for file in files[:2]]
            for number, side in enumerate(sides):
                _show_saved(side, f"opened_{number}")
            if len(sides) == 2:
                st.download_button(
                    "Comparison", comparison_html(*sides), "comparison.html", "text/html", on_click="ignore"
                )
        except SessionError as error:
            show_problem(str(error))


def _show_saved(side: Side, key: str) -> None:
    session = side.session
    begun = session.begun or datetime.now(UTC)
    votes = sum(max(1, len(moment.faces)) for moment in session.moments)
    marks = f"{len(session.marks)} mark{'' if len(session.marks) == 1 else 's'}"
    st.text(f"{side.name}: begun {_here(begun):%Y-%m-%d %H:%M}, {votes:,} votes by {session.voted_by}, {marks}.")
    with st.container(horizontal=True):
        _offer_files(lambda: session, begun, key=key)


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


def _offer_marks(stream: StreamProcessor) -> None:
    marking = stream.record.marking
    paused = bool(marking.pauses()) and np.isinf(marking.pauses()[-1].end)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with (
            st.form("session_marks", clear_on_submit=True, border=False, width="content"),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            text = st.text_input("Mark this moment", placeholder="question 1", max_chars=MOST_CHARACTERS, width=240)
            marked = st.form_submit_button("Set mark")
        if paused:
            st.button("Go on after the pause", on_click=lambda: marking.resume(stream.session_seconds))
        else:
            st.button(
                "Pause",
                help="What follows is left out of the table, the report and all sums.",
                on_click=lambda: marking.pause(stream.session_seconds),
            )
    if marked:
        try:
            st.caption(f"Marked: {marking.mark(text, stream.session_seconds).text}")
        except SessionError as error:
            show_problem(str(error))


def _offer_files(session: Callable[[], SavedSession], begun: datetime, key: str = "session") -> None:
    def button(ending: str, kind: str) -> dict[str, Any]:
        name = session_name(_here(begun), ending)
        made = partial(_made, session, ending)
        return {"data": made, "file_name": name, "mime": kind, "on_click": "ignore", "key": f"{key}_{ending}"}

    st.download_button("Session as CSV", **button("csv", "text/csv"))
    st.download_button("Save", **button("zip", "application/zip"))
    st.download_button("Report", **button("html", "text/html"))


def _made(session: Callable[[], SavedSession], ending: str) -> str | bytes:
    taken = session()
    if ending == "zip":
        return save_session(taken)
    named = taken.classes, taken.model_names, taken.voted_by
    if ending == "csv":
        return session_csv(taken.moments, *named, marks=taken.marks, pauses=taken.pauses)
    begun = f"{_here(taken.begun):%Y-%m-%d %H:%M}" if taken.begun else ""
    return report_html(
        f"Session {begun}".strip(),
        taken.moments,
        *named,
        smoothed=taken.smoothed,
        lasts=taken.interval_seconds,
        marks=taken.marks,
        pauses=taken.pauses,
    )


def _here(moment: datetime) -> datetime:
    """Give a time by the clock of the visitor."""
    zone: tzinfo = UTC
    with contextlib.suppress(ZoneInfoNotFoundError, ValueError):  # the browser says it
        zone = ZoneInfo(st.context.timezone or "UTC")
    return moment.astimezone(zone)


def _last_picture(stream: StreamProcessor) -> BGRImage:
    if stream.picture_bgr is not None:
        return stream.picture_bgr
    return draw_notice(np.zeros((480, 640, 3), dtype=np.uint8), NOTICES[stream.snapshot.state])
