"""The page over models that fail, take five seconds or are still loading, while `EMOTION_TEST_FAULT` names a file that
says so.
"""

import os
import runpy
import time
from collections.abc import Sequence
from pathlib import Path

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


import emotion.ui.webcam  # noqa: E402

load = emotion.load_models


def load_when_told(*arguments: object) -> emotion.Ensemble:
    while asked.read_text() == "load":
        time.sleep(0.1)
    return load(*arguments)  # type: ignore[arg-type]


emotion.load_models = load_when_told

emotion.ui.webcam.Recognizer = FaultyRecognizer  # type: ignore[misc]
runpy.run_path(str(config.ROOT / "web_app.py"), run_name="__main__")
