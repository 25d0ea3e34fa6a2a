"""The page over models that fail, take five seconds or are still loading, while `EMOTION_TEST_FAULT` names a file that
says so. Two addresses are fetched at a time, and for a turn nobody
waits longer than a second.
"""

import os
import runpy
import threading
import time
from collections.abc import Sequence
from pathlib import Path

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

load = emotion.load_models


def load_when_told(*arguments: object) -> emotion.Ensemble:
    while asked.read_text() == "load":
        time.sleep(0.1)
    return load(*arguments)  # type: ignore[arg-type]


if emotion.page.camera.VideoRecognizer is VideoRecognizer:  # this file runs anew whenever the page is drawn
    emotion.load_models = load_when_told
    emotion.page.server.WAIT_SECONDS = 1.0  # type: ignore[misc]
    emotion.page.server._fetching = threading.BoundedSemaphore(2)
    emotion.page.camera.VideoRecognizer = FaultyRecognizer  # type: ignore[misc]
runpy.run_path(str(config.ROOT / "web_app.py"), run_name="__main__")
