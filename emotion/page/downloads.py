"""Downloads that are made when they are asked for, by buttons that always work and files that wait for slow lines.

Streamlit (1.67) forgets the button of a drawing once the next one has begun and any visitor's has ended, and a file
that was made once two drawings have ended since. A press that was on its way meanwhile gave nothing, and a slow line
found nothing where the file was. Here both are kept for a while.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final
from uuid import uuid4

import streamlit as st
from streamlit import runtime
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

_KEPT_SECONDS: Final = 60.0
"""So long a button is pressed with effect after another one took its place, and a file can be fetched; what is larger
than a line carries in that time has long begun to be sent."""

_kept: deque[tuple[float, MediaFileManager, str]] = deque()
"""When each will be forgotten, by whom, and by which name; the next one first."""
_turn = threading.Lock()


def offer_download(label: str, made: Callable[[], str | bytes], name: str, kind: str, **look: Any) -> None:
    """Draw a button that downloads a file.

    Parameters
    ----------
    label : str
    made : callable that gives the file; called when it is asked for, on another thread
    name : str, of the file
    kind : str, its media type
    **look : what `streamlit.download_button` takes besides, such as `key`
    """
    context: Any = get_script_run_ctx()
    visitor, context.session_id = context.session_id, _name()
    try:
        st.download_button(label, lambda: keep(made(), name, kind), name, kind, on_click="ignore", **look)
    finally:  # also where Streamlit breaks the drawing off
        _forget_later(context.session_id)
        context.session_id = visitor


def keep(made: str | bytes, name: str, kind: str) -> bytes:
    """Keep a file for whoever fetches it; may be called from any thread.

    Parameters
    ----------
    made : str or bytes; text is kept in UTF-8
    name, kind : str, its name and media type

    Returns
    -------
    bytes
        The file.
    """
    file = made.encode() if isinstance(made, str) else made
    session: Any = SimpleNamespace(session_id=_name())
    # The same file has the same address, whoever asks for it.
    keeper = threading.Thread(
        target=runtime.get_instance().media_file_mgr.add,
        args=(file, kind, "file", name),
        kwargs={"is_for_static_download": True},
    )
    add_script_run_ctx(keeper, session)
    keeper.start()
    keeper.join()
    _forget_later(session.session_id)
    return file


def _name() -> str:
    # Streamlit keeps what a session shows. This is one that shows a button or a file alone, and that no drawing clears.
    return f"download {uuid4().hex}"


def _forget_later(name: str) -> None:
    with _turn:
        _kept.append((time.monotonic() + _KEPT_SECONDS, runtime.get_instance().media_file_mgr, name))
        if len(_kept) == 1:
            _wake()


def _forget() -> None:
    with _turn:
        while _kept and _kept[0][0] <= time.monotonic():
            _, files, name = _kept.popleft()
            files.clear_session_refs(name)
            for _ in ("marked", "removed"):  # else two drawings would do this, whenever somebody comes
                files.remove_orphaned_files()
        if _kept:
            _wake()


def _wake() -> None:
    timer = threading.Timer(max(0.0, _kept[0][0] - time.monotonic()), _forget)
    timer.daemon = True
    timer.start()
