"""The page over models that fail, take five seconds or are still loading, while `EMOTION_TEST_FAULT` names a file that
says so. Where it says "cut", the next drawing ends halfway. Two addresses are fetched at a time, and for a turn nobody
waits longer than a second.
"""

import os
import runpy
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from emotion import config
from emotion.faces.crop import FaceVector
from emotion.faces.detect import Detection
from emotion.vote.recognizer import FaceEmotion, VideoRecognizer

asked = Path(os.environ["EMOTION_TEST_FAULT"])


class FaultyRecognizer(VideoRecognizer):
    def vote(self, found: Sequence[tuple[Detection, FaceVector]]) -> list[FaceEmotion]:
        fault = asked.read_text()
        if fault == "raise":
            raise RuntimeError("model on fire")
        if fault == "dawdle":
            time.sleep(5)
        return super().vote(found)


import emotion.page.camera  # noqa: E402
import emotion.page.server  # noqa: E402
import emotion.page.webcam  # noqa: E402

load = emotion.load_models
show_last_vote = emotion.page.webcam.show_last_vote


def load_when_told(*arguments: object) -> emotion.Ensemble:
    while asked.read_text() == "load":
        time.sleep(0.1)
    return load(*arguments)  # type: ignore[arg-type]


def show_last_vote_or_stop(*arguments: Any) -> None:
    run = get_script_run_ctx()
    if asked.read_text() == "cut" and run is not None and not run.fragment_ids_this_run:
        asked.write_text("")
        st.stop()
    show_last_vote(*arguments)


if emotion.page.camera.VideoRecognizer is VideoRecognizer:  # this file runs anew whenever the page is drawn
    emotion.load_models = load_when_told
    emotion.page.server.WAIT_SECONDS = 1.0  # type: ignore[misc]
    emotion.page.server._fetching = threading.BoundedSemaphore(2)
    emotion.page.webcam.show_last_vote = show_last_vote_or_stop
    emotion.page.camera.VideoRecognizer = FaultyRecognizer  # type: ignore[misc]
runpy.run_path(str(config.ROOT / "web_app.py"), run_name="__main__")
