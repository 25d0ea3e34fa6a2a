"""What is told before anything is recognised, without a browser."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.page.test_web_app import FakeWebcam
from tests.page.whole import whole_page


@pytest.fixture
def webcam(tiny_models_served: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWebcam:
    webcam = FakeWebcam()
    monkeypatch.setattr("emotion.page.webcam.webrtc_streamer", webcam)
    monkeypatch.setattr("emotion.page.webcam.browser_refusal", lambda: webcam.refusal)
    return webcam


def notice(page: AppTest) -> str:
    return "".join(element.proto.body for element in page.get("html") if 'class="notice"' in element.proto.body)


def test_who_comes_is_told_first_and_goes_on_by_one_press(webcam: FakeWebcam) -> None:
    page = whole_page(told=False).run()
    assert not page.exception
    for said in (
        "everyone in the picture",
        "Five models",
        "Nothing is stored",
        "not a feeling",
        "at work or at school",
        "Article 5(1)(f)",
        "A class may",
    ):
        assert said.casefold() in notice(page).casefold(), said
    assert 'role="alert"' in notice(page)
    assert [button.label for button in page.button] == ["Go on"]
    assert not webcam.arguments, "a camera may be asked for"
    page.button[0].click().run()
    assert webcam.arguments
    assert not notice(page)
    assert "Go on" not in [button.label for button in page.run().button]


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("http://localhost:8501/", "on this computer"),
        ("http://127.0.0.1:8501/pictures", "on this computer"),
        ("http://[::1]:8501/", "on this computer"),
        ("https://faces.example.org/", "on the server of this page"),
        (None, "on the server of this page"),
    ],
)
def test_where_it_is_done_is_told(
    webcam: FakeWebcam, monkeypatch: pytest.MonkeyPatch, address: str | None, where: str
) -> None:
    """To whoever opens the page of another computer, what the camera sees goes over the network."""
    monkeypatch.setattr(type(st.context), "url", address)
    assert where in notice(whole_page(told=False).run())
