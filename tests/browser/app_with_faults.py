"""The page over models that fail, take five seconds or are still loading, while `EMOTION_TEST_FAULT` names a file that
says so. Where it says "cut", the next drawing ends halfway. For a turn to fetch, nobody waits longer than a second.
"""

import os
import runpy
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from emotion import Recognizer, config
from emotion.faces import FaceVector
from emotion.voting import Vote

asked = Path(os.environ["EMOTION_TEST_FAULT"])


class FaultyRecognizer(Recognizer):
    def vote(self, vectors: Sequence[FaceVector]) -> list[Vote]:
        fault = asked.read_text()
        if fault == "raise":
            raise RuntimeError("model on fire")
        if fault == "dawdle":
            time.sleep(5)
        return super().vote(vectors)


import emotion.ui.limits  # noqa: E402
import emotion.ui.stream  # noqa: E402
import emotion.ui.webcam  # noqa: E402

load = emotion.load_models
show_last_vote = emotion.ui.webcam.show_last_vote


def load_when_told(*arguments: object) -> emotion.Ensemble:
    while asked.read_text() == "load":
        time.sleep(0.1)
    return load(*arguments)  # type: ignore[arg-type]


def show_last_vote_or_stop(context: Any) -> None:
    run = get_script_run_ctx()
    if asked.read_text() == "cut" and run is not None and not run.fragment_ids_this_run:
        asked.write_text("")
        st.stop()
    show_last_vote(context)


if emotion.ui.stream.Recognizer is Recognizer:  # this file runs anew whenever the page is drawn
    emotion.load_models = load_when_told
    emotion.ui.limits.WAIT_SECONDS = 1.0  # type: ignore[misc]
    emotion.ui.webcam.show_last_vote = show_last_vote_or_stop
    emotion.ui.stream.Recognizer = FaultyRecognizer  # type: ignore[misc]
runpy.run_path(str(config.ROOT / "web_app.py"), run_name="__main__")
