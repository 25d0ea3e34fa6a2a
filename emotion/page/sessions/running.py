"""What a visitor takes home of a webcam session that goes on, or has just ended: its files, with marks and pauses."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Final

import numpy as np
import streamlit as st

from emotion.errors import SessionError
from emotion.faces.pixels import BGRImage
from emotion.page.camera import StreamProcessor
from emotion.page.downloads import offer_download
from emotion.page.recognition import encode_png
from emotion.page.sessions.files import offer_files, zone_of_visitor
from emotion.page.sessions.kept import session_of
from emotion.streams.drawing import draw_notice
from emotion.streams.session.marks import MOST_CHARACTERS
from emotion.streams.session.table import dated_name
from emotion.streams.webcam import NOTICES

_MARK_KEY: Final = "session_mark"


def show_session_files(stream: StreamProcessor) -> None:
    """Draw what sets marks and pauses, and the buttons of what can be taken home, side by side; what they give is made
    when it is asked for.

    Not in a fragment that refreshes: each time it would register them anew, and a press on the old ones would be lost.

    Parameters
    ----------
    stream : StreamProcessor, of the session, which may have ended
    """
    begun = session_of(stream).begun or datetime.now(UTC)
    zone = zone_of_visitor()
    offer_download(
        "Snapshot",
        lambda: encode_png(_last_picture(stream, zone)),
        dated_name("snapshot", begun.astimezone(zone), "png"),
        "image/png",
    )
    offer_files(lambda: session_of(stream), begun)
    if not stream.ended:  # at the end: the buttons before it stay where they are
        _offer_marks(stream)


def _offer_marks(stream: StreamProcessor) -> None:
    marking = stream.record.marking
    paused = bool(marking.pauses()) and np.isinf(marking.pauses()[-1].end)
    # In callbacks: what is set is set at once, also where the drawing after it is broken off.
    with (
        st.form("session_marks", clear_on_submit=True, border=False, width="content"),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input(
            "Mark this moment",
            placeholder="Mark, such as question 1",
            max_chars=MOST_CHARACTERS,
            width=220,
            label_visibility="collapsed",
            key=_MARK_KEY,
        )
        st.form_submit_button("Set mark", on_click=lambda: _told(lambda: _mark(stream)))
    if paused:
        st.button("Go on after the pause", on_click=lambda: marking.resume(stream.session_seconds))
    else:
        st.button(
            "Pause",
            help="What follows is left out of the table, the report and all sums.",
            on_click=lambda: _told(lambda: marking.pause(stream.session_seconds)),
        )


def _mark(stream: StreamProcessor) -> None:
    stream.record.marking.mark(st.session_state[_MARK_KEY], stream.session_seconds)
    st.toast("The mark is set.")


def _told(do: Callable[[], None]) -> None:
    try:
        do()
    except SessionError as error:
        st.toast(str(error))


def _last_picture(stream: StreamProcessor, zone: tzinfo) -> BGRImage:
    picture = stream.photograph(lambda at: f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}")
    if picture is not None:
        return picture
    return draw_notice(np.zeros((480, 640, 3), dtype=np.uint8), NOTICES[stream.snapshot.state])
