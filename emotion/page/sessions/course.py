"""The course of a session that was kept or opened, as the part Films shows that of a film."""

from typing import Final

import streamlit as st

from emotion.page.elements import show_heading
from emotion.page.films.timeline import timeline, timeline_data
from emotion.page.live.told import summed_up
from emotion.streams.course import clock
from emotion.streams.session.saved import SavedSession

MOST_FACES: Final = 6
"""Of a session, those that were seen longest."""


def show_course(session: SavedSession, key: str) -> None:
    """Draw the course of each face of a session, with what it sums up to, and list the marks.

    Parameters
    ----------
    session : SavedSession
    key : str, that tells its charts from others of the page
    """
    watched = session.watched()
    if session.marks:
        st.text("Marks: " + ", ".join(f"{mark.text} ({clock(round(mark.seconds))})" for mark in session.marks))
    for number in sorted(list(watched.found)[:MOST_FACES]):
        told = summed_up(number, watched.found[number])
        show_heading(f"Face {number}")
        st.text(told)
        st.vega_lite_chart(
            timeline_data(watched.moments, number, session.classes, session.interval_seconds),
            timeline(session.classes, watched.span.start, watched.span.end, selects=False),
            width="stretch",
            key=f"{key}_{number}",
            alt=f"Timeline of face {number}. {told}",
        )
