"""The page without a browser: Streamlit's AppTest, with the component of streamlit-webrtc replaced at its one seam."""

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
import streamlit as st
from streamlit.testing.v1 import AppTest

from emotion import config
from emotion.errors import FetchError
from emotion.faces import Box
from emotion.fetch import LOOPBACK_SWITCH
from emotion.recognizer import FaceEmotion
from emotion.ui.votes import plain
from emotion.ui.webcam import StreamProcessor
from emotion.video import Snapshot, State
from emotion.voting import Vote
from tests.tiny_models import CLASSES, write_tiny_models

ADDRESS = "https://example.org/portrait.png"


class FakeWebcam:
    """Stands for `webrtc_streamer`: keeps what it is called with, and gives a stream that a test has chosen."""

    def __init__(self) -> None:
        self.arguments: dict[str, Any] = {}
        self.stream: SimpleNamespace | None = None

    def __call__(self, **arguments: Any) -> SimpleNamespace:
        self.arguments = arguments
        return SimpleNamespace(state=SimpleNamespace(playing=False), video_processor=self.stream)

    def came_to(self, state: State, *faces: FaceEmotion) -> None:
        self.stream = SimpleNamespace(snapshot=Snapshot(state, faces, 3, time.monotonic()))


@pytest.fixture
def webcam(monkeypatch: pytest.MonkeyPatch) -> FakeWebcam:
    webcam = FakeWebcam()
    monkeypatch.setattr("emotion.ui.webcam.webrtc_streamer", webcam)
    return webcam


@pytest.fixture
def page(webcam: FakeWebcam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The page over models of three classes; run by the test."""
    monkeypatch.setattr(config, "MODELS", write_tiny_models(tmp_path / "models"))
    st.cache_resource.clear()
    yield AppTest.from_file(str(config.ROOT / "web_app.py"), default_timeout=30)
    st.cache_resource.clear()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes | Exception]:
    """What each address gives, in place of the network."""
    answers: dict[str, bytes | Exception] = {}

    def fetch(address: str) -> bytes:
        answer = answers[address]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("emotion.ui.image_url.fetch", fetch)
    return answers


def png(image_rgb: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def ask_for(page: AppTest, address: str) -> None:
    page.run()
    page.sidebar.radio[0].set_value("Image URL").run()
    page.text_input[0].set_value(address)
    page.button[0].click().run()


def texts(page: AppTest) -> str:
    """All that the page says, one element a line."""
    kinds = (page.header, page.subheader, page.caption, page.text, page.info, page.warning, page.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def vote_for(label: str, *others: str) -> Vote:
    ballots = (*others, *(label,) * (5 - len(others)))
    probabilities = dict.fromkeys(CLASSES, 0.1) | {label: 0.8}
    return Vote(label, ballots, probabilities, tie=False, uncertain=len(others) > 2)


def test_page_opens_on_the_webcam_and_says_what_it_is_not_for(page):
    page.run()
    assert not page.exception
    assert page.sidebar.radio[0].options == ["Webcam", "Image URL"]
    assert page.sidebar.radio[0].value == "Webcam"
    assert "Press Start" in page.info[0].value
    page.sidebar.radio[0].set_value("Image URL").run()
    assert "An expression is not a feeling. Not for work or school" in texts(page)
    assert "Pictures are not stored and not passed on" in texts(page)


def test_webcam_asks_for_no_microphone_and_for_no_public_server(page, webcam):
    page.run()
    assert webcam.arguments["rtc_configuration"] == {"iceServers": []}
    assert webcam.arguments["media_stream_constraints"]["audio"] is False
    for where in ("frontend_rtc_configuration", "server_rtc_configuration"):
        assert where not in webcam.arguments
    assert isinstance(webcam.arguments["video_processor_factory"](), StreamProcessor)


def test_webcam_panel_shows_the_vote_on_the_largest_face(page, webcam):
    largest = FaceEmotion(Box(0, 0, 90, 90), vote_for("Happy", "Sad"))
    webcam.came_to(State.FACES, largest, FaceEmotion(Box(100, 0, 40, 40), vote_for("Angry")))
    page.run()
    assert page.subheader[0].value == "Happy"
    assert "4 of 5 models agree" in texts(page)
    assert "The largest of 2 faces, vote 3" in texts(page)
    assert dict(page.table[0].value.to_numpy()) == dict(zip(config.MODEL_NAMES, largest.vote.ballots, strict=True))
    assert [bar.proto.value for bar in page.get("progress")] == [10, 80, 10]


def test_webcam_panel_says_when_the_models_are_divided(page, webcam):
    webcam.came_to(State.FACES, FaceEmotion(Box(0, 0, 90, 90), vote_for("Happy", "Sad", "Sad", "Angry")))
    page.run()
    assert "Uncertain: 2 of 5 models agree" in texts(page)


def test_webcam_panel_tells_a_fault_from_an_empty_picture(page, webcam):
    webcam.came_to(State.NO_FACE)
    page.run()
    assert page.info[0].value == "No face"
    webcam.came_to(State.FAULT)
    page.run()
    assert "Recognition failed" in page.error[0].value
    assert "No face" not in texts(page)


def test_image_address_shows_each_face_with_its_five_ballots(page, served):
    portrait = skimage.data.astronaut()[0:250, 110:330]
    served[ADDRESS] = png(np.hstack([portrait, portrait // 2]))
    ask_for(page, ADDRESS)
    assert not page.exception
    assert "2 faces" in texts(page)
    assert len(page.subheader) == len(page.table) == 2
    for table in page.table:
        assert list(table.value["Model"]) == list(config.MODEL_NAMES)
        assert set(table.value["Ballot"]) <= set(CLASSES)
    assert ADDRESS in texts(page)


def test_result_is_still_there_after_a_look_at_the_webcam(page, served):
    served[ADDRESS] = png(skimage.data.astronaut())
    ask_for(page, ADDRESS)
    page.sidebar.radio[0].set_value("Webcam").run()
    assert not page.subheader
    page.sidebar.radio[0].set_value("Image URL").run()
    assert page.subheader[0].value in CLASSES


def test_picture_without_a_face_is_shown_with_advice(page, served):
    served[ADDRESS] = png(np.full((200, 300, 3), 90, dtype=np.uint8))
    ask_for(page, ADDRESS)
    assert "No face was found" in page.warning[0].value
    assert len(page.get("image")) == 1


def test_failed_address_replaces_the_result_by_its_reason(page, served):
    served[ADDRESS] = png(skimage.data.astronaut())
    ask_for(page, ADDRESS)
    assert page.subheader
    served["ftp://x"] = FetchError("Only http and https addresses are fetched.")
    ask_for(page, "ftp://x")
    assert page.error[0].value == plain("Only http and https addresses are fetched.")
    assert not page.subheader, "an old result under a new error would be taken for the new picture's"


def test_something_else_than_a_picture_is_called_so(page, served):
    served[ADDRESS] = b"<html>not found</html>"
    ask_for(page, ADDRESS)
    assert "This is not a picture" in page.error[0].value


def test_address_on_this_computer_is_refused(page, monkeypatch):
    monkeypatch.delenv(LOOPBACK_SWITCH, raising=False)
    ask_for(page, "http://127.0.0.1:8501/picture.png")
    assert "only fetched from the public internet" in page.error[0].value


def test_unexpected_fault_goes_to_the_log_and_not_to_the_visitor(page, served, caplog):
    served[ADDRESS] = RuntimeError("secret/path.py broke")
    with caplog.at_level(logging.ERROR, logger="emotion.ui"):
        ask_for(page, ADDRESS)
    assert not page.exception
    assert "Something went wrong" in page.error[0].value
    assert "secret" not in texts(page)
    assert caplog.records[0].exc_info[0] is RuntimeError


def test_huge_picture_is_reduced_before_it_goes_to_the_browser(page, served):
    served[ADDRESS] = png(np.full((2000, 4000, 3), 90, dtype=np.uint8))
    ask_for(page, ADDRESS)
    assert page.session_state["recognized_picture"].drawn_bgr.shape == (800, 1600, 3)


def test_missing_models_are_named_and_the_page_heals_without_a_restart(page, monkeypatch, tmp_path):
    monkeypatch.setattr(config, "MODELS", tmp_path / "none")
    page.run()
    assert "There are no trained models" in page.error[0].value
    assert not page.exception
    monkeypatch.setattr(config, "MODELS", tmp_path / "models")
    page.run()
    assert not page.error


@pytest.mark.parametrize(
    "text", ["**b** _i_ `c` ~~s~~", ":smile: :red[x] $x$", "<b>&amp;</b>", "# h", "![i](http://h)"]
)
def test_texts_of_others_lose_no_character_to_markdown(text):
    assert plain(text).replace("\\", "") == text
    marks = [i for i, character in enumerate(plain(text)) if character in "*_`~:$<>&#![]()"]
    assert all(plain(text)[i - 1] == "\\" for i in marks)


def test_page_loads_no_training_library():
    """They would add seconds to the start, and the page must run where they are not installed."""
    script = """
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("web_app.py", default_timeout=60)
import emotion.ui.webcam
from types import SimpleNamespace
stopped = SimpleNamespace(state=SimpleNamespace(playing=False), video_processor=None)
emotion.ui.webcam.webrtc_streamer = lambda **_: stopped
page.run().sidebar.radio[0].set_value("Image URL").run()
assert not page.exception, page.exception
training = ("dataset", "vectorize", "splitting", "recipes", "training", "export", "evaluation", "embedding")
unwanted = {"sklearn", "xgboost", "imblearn", "matplotlib", "torch", *(f"emotion.{name}" for name in training)}
assert not unwanted & set(sys.modules), unwanted & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=config.ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
