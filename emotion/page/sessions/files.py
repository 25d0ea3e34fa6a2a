"""The files of a session that are taken home: made when they are asked for."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from emotion.page.downloads import offer_download
from emotion.streams.report import report_html
from emotion.streams.session.saved import SavedSession, save_session
from emotion.streams.session.table import dated_name, session_csv


def offer_files(session: Callable[[], SavedSession], begun: datetime, key: str = "session") -> None:
    """Draw the buttons that download a session.

    Parameters
    ----------
    session : callable that gives the session; called when a file is asked for, on another thread
    begun : datetime, when it began, for the names of the files
    key : str, that tells these buttons from others of the page
    """
    zone = zone_of_visitor()

    def file(ending: str, kind: str) -> tuple[Callable[[], str | bytes], str, str]:
        return partial(_made, session, ending, zone), dated_name("session", begun.astimezone(zone), ending), kind

    offer_download("Session as CSV", *file("csv", "text/csv"), key=f"{key}_csv")
    offer_download("Save", *file("zip", "application/zip"), key=f"{key}_zip")
    offer_download("Report", *file("html", "text/html"), key=f"{key}_html")


def _made(session: Callable[[], SavedSession], ending: str, zone: tzinfo) -> str | bytes:
    taken = session()
    if ending == "zip":
        return save_session(taken)
    named = taken.classes, taken.model_names, taken.voted_by
    if ending == "csv":
        return session_csv(taken.moments, *named, marks=taken.marks, pauses=taken.pauses)
    begun = f"{taken.begun.astimezone(zone):%Y-%m-%d %H:%M}" if taken.begun else ""
    return report_html(
        f"Session {begun}".strip(),
        taken.moments,
        *named,
        smoothed=taken.smoothed,
        lasts=taken.interval_seconds,
        marks=taken.marks,
        pauses=taken.pauses,
    )


def zone_of_visitor() -> tzinfo:
    """Give the time zone of the visitor's clock; to be called while the page is drawn.

    Returns
    -------
    tzinfo
    """
    with contextlib.suppress(ZoneInfoNotFoundError, ValueError, OSError):  # the browser says it, and may say anything
        return ZoneInfo(st.context.timezone or "UTC")
    return UTC
