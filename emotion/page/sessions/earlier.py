"""The sessions of this visit that have ended, and saved ones: to be taken home, and compared."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Final, NamedTuple

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emotion.errors import SessionError
from emotion.page.downloads import offer_download
from emotion.page.elements import MOST_UPLOAD_MB, show_problem
from emotion.page.sessions.course import MOST_FACES, show_course
from emotion.page.sessions.files import offer_files, zone_of_visitor
from emotion.page.sessions.kept import Contents
from emotion.page.state import visit
from emotion.streams.session.comparison import Side, check_comparable, comparison_html
from emotion.streams.session.saved import SavedSession, open_session
from emotion.streams.session.table import dated_name

MOST_OPENED: Final = 2


class Offered(NamedTuple):
    """A session of the list.

    Attributes
    ----------
    contents : Contents
    session : callable that gives all of it
    """

    contents: Contents
    session: Callable[[], SavedSession]


def show_sessions() -> None:
    """Draw the list of sessions that have ended, what opens saved ones, and what compares two.

    To know what is in a session takes time, so that is looked at only where the list is open.
    """
    state = visit()
    state.keep()
    area = st.expander("Earlier and saved sessions", icon=":material/folder_open:", key="sessions", on_change="rerun")
    with area:
        if state.sessions:
            st.caption("The last sessions of this visit, kept until you close the page or load it anew.")
        listed = st.container()
        files = st.file_uploader(
            "Sessions that Save wrote, one or two",
            accept_multiple_files=True,
            max_upload_size=MOST_UPLOAD_MB,
            key="session_file",
        )
        if not area.open:
            return
        offered = [Offered(one.contents, partial(getattr, one, "session")) for one in state.sessions]
        with listed:
            for number, one in enumerate(offered):
                _show(one, f"kept_{number}")
        opened = _opened(files)
        for number, one in enumerate(opened):
            _show(one, f"opened_{number}")
        _offer_comparison([*offered, *opened])


def _opened(files: list[UploadedFile]) -> list[Offered]:
    """Look into files, each once, and say which are no sessions; their votes are not kept, but read when needed."""
    state = visit()
    state.opened = {file.file_id: state.opened.get(file.file_id) or _open(file) for file in files[:MOST_OPENED]}
    for problem in state.opened.values():
        if isinstance(problem, str):
            show_problem(problem)
    if len(files) > MOST_OPENED:
        st.info("Only the first two files are opened: take one of them away to open another.")
    found = [(file, state.opened[file.file_id]) for file in files[:MOST_OPENED]]
    return [Offered(has, partial(_again, file)) for file, has in found if isinstance(has, Contents)]


def _open(file: UploadedFile) -> Contents | str:
    try:
        with st.spinner("Opening the session…"):
            return Contents.of(open_session(file.getvalue()), file=file.name)
    except SessionError as error:
        return f"{file.name}: {error}"


def _again(file: UploadedFile) -> SavedSession:
    return open_session(file.getvalue())


def _show(offered: Offered, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{offered.contents.name(zone_of_visitor())}: {offered.contents.told}", width="stretch")
        is_shown = st.toggle("Show", key=f"{key}_shown")
        offer_files(offered.session, offered.contents.begun or datetime.now(UTC), key=key)
    if is_shown:
        show_course(offered.session(), key)


def _offer_comparison(sessions: list[Offered]) -> None:
    zone = zone_of_visitor()
    sides = _sides(sessions, zone)
    if len(sides) < 2:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        one = st.selectbox("Compare", list(sides), key="compared", width=280)
        other = st.selectbox("With", [name for name in sides if name != one], key="compared_with", width=280)
        (first, _), (second, _) = sides[one], sides[other]
        try:
            check_comparable(first.contents.classes, second.contents.classes)
        except SessionError as error:
            show_problem(str(error))
            return
        begun = first.contents.begun or datetime.now(UTC)
        offer_download(
            "Comparison",
            partial(_comparison, {name: sides[name] for name in (one, other)}),
            dated_name("comparison", begun.astimezone(zone), "html"),
            "text/html",
        )


def _comparison(named: dict[str, tuple[Offered, int]]) -> str:
    first, second = (Side(name, offered.session(), face) for name, (offered, face) in named.items())
    return comparison_html(first, second)


def _sides(sessions: list[Offered], zone: tzinfo) -> dict[str, tuple[Offered, int]]:
    """Name what can be compared: sessions of one face, and each face of the others, by its number."""
    sides: dict[str, tuple[Offered, int]] = {}
    for offered in sessions:
        name, faces = offered.contents.name(zone), offered.contents.faces[:MOST_FACES]
        for face in faces:
            whole = name if len(faces) == 1 else f"{name}, face {face}"
            unique, number = whole, 1
            while unique in sides:
                number += 1
                unique = f"{whole} ({number})"
            sides[unique] = offered, face
    return sides
