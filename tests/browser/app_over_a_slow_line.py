"""The page over a slow line: each time that it is drawn anew, a refresh of the drawing before arrives too late.

It reaches the server when that has drawn the page, and has sent off no more than the beginning.
"""

import runpy
from typing import Any

from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import ScriptRunnerEvent

from emotion import config

request = AppSession.request_rerun
handle = AppSession._handle_scriptrunner_event_on_event_loop
underway: dict[str, Any] = {}
"""By session, a refresh that its browser has asked for since the last one that arrived too late."""


def request_and_note(session: AppSession, client_state: Any) -> None:
    if client_state is not None and client_state.is_auto_rerun:
        underway.setdefault(session.id, client_state)
    request(session, client_state)


def handle_late(session: AppSession, sender: Any, event: ScriptRunnerEvent, *further: Any) -> None:
    if event is ScriptRunnerEvent.SCRIPT_STARTED:
        handle(session, sender, event, *further)
        return
    session._event_loop.call_later(0.2, handle, session, sender, event, *further)
    if event is ScriptRunnerEvent.SCRIPT_STOPPED_WITH_SUCCESS and session.id in underway:
        session._event_loop.call_later(0.1, request, session, underway.pop(session.id))


if not hasattr(AppSession, "over_a_slow_line"):  # this file runs anew whenever the page is drawn
    AppSession.over_a_slow_line = True  # type: ignore[attr-defined]
    AppSession.request_rerun = request_and_note  # type: ignore[method-assign]
    AppSession._handle_scriptrunner_event_on_event_loop = handle_late  # type: ignore[method-assign]
runpy.run_path(str(config.ROOT / "web_app.py"), run_name="__main__")
