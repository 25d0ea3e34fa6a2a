"""The page without a browser: Streamlit's AppTest, with the component of streamlit-webrtc replaced at its one seam."""

import asyncio
import gc
import html
import json
import logging
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from weakref import WeakSet

import av
import cv2
import numpy as np
import pytest
import skimage.data
from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay
from streamlit.runtime.scriptrunner import RerunData, RerunException
from streamlit.testing.v1 import AppTest
from streamlit_webrtc.process import AsyncVideoProcessTrack

import emotion.page.addresses
import emotion.page.pictures.asking
import emotion.page.server
from emotion import config, load_models
from emotion.errors import FetchError
from emotion.faces.detect import Box
from emotion.faces.fetch import LOOPBACK_SWITCH, Answer
from emotion.page.camera import CAUSES, StreamProcessor, ice_servers
from emotion.page.live.told import UNMEASURED
from emotion.page.pictures.reason import MOST_LOSS, heat_picture, reason_told
from emotion.page.pictures.results import file_stem
from emotion.page.recognition import pictures_csv
from emotion.page.state import Request, Source, Visit
from emotion.page.webcam import BUSY
from emotion.streams.record import FaceRecord, Moment, SessionRecord
from emotion.streams.webcam import Snapshot, State, VideoSettings
from emotion.vote.voting import LOW_PROBABILITY, Vote
from tests.page.whole import whole_page
from tests.tiny_models import CLASSES, write_tiny_models

ADDRESS = "https://example.org/portrait.png"


class FakeWebcam:
    """Stands for `webrtc_streamer`: keeps what it is called with, and gives a stream that a test has chosen."""

    def __init__(self) -> None:
        self.arguments: dict[str, Any] = {}
        self.relay = MediaRelay()
        self.stream: SimpleNamespace | None = None
        self.refusal = ""
        self.playing = False

    def __call__(self, **arguments: Any) -> SimpleNamespace:
        self.arguments = arguments
        return SimpleNamespace(
            state=SimpleNamespace(playing=self.playing, signalling=False), video_processor=self.stream
        )

    def came_to(
        self,
        state: State,
        *faces: FaceRecord,
        glances: Mapping[int, FaceRecord] | None = None,
        seconds: float = 3.0,
    ) -> None:
        record = SessionRecord()
        record.add(Moment(1.0, datetime(2026, 1, 1, tzinfo=UTC), faces))
        record.add(Moment(3.0, datetime(2026, 1, 1, tzinfo=UTC), ()))
        snapshot = Snapshot(state, faces, 3, 0.5, glances or {})
        self.stream = SimpleNamespace(
            snapshot=snapshot,
            settings=VideoSettings(),
            record=record,
            picture_bgr=None,
            turned_away=state is State.BUSY,
            ended=False,
            session_seconds=seconds,
            models=load_models(config.MODELS),
        )


@pytest.fixture
def webcam(monkeypatch: pytest.MonkeyPatch) -> FakeWebcam:
    webcam = FakeWebcam()
    monkeypatch.setattr("emotion.page.webcam.webrtc_streamer", webcam)
    monkeypatch.setattr("emotion.page.webcam.browser_refusal", lambda: webcam.refusal)
    monkeypatch.setattr("emotion.page.camera.get_global_relay", lambda: webcam.relay)
    return webcam


@pytest.fixture
def page(webcam: FakeWebcam, tiny_models_served: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page over models of three classes; run by the test."""
    monkeypatch.setattr(emotion.page.server, "_videos", WeakSet())  # sessions of other tests may not be collected yet
    return whole_page()


def test_streamlits_collection_after_each_drawing_finds_libraries_and_models_set_aside(page):
    """It would go through all of them, and stop the video for a tenth of a second once a second."""
    gc.unfreeze()
    page.run()
    assert gc.get_freeze_count() > 100_000
    gc.unfreeze()


PICTURES = """
from emotion import config, load_models
from emotion.page.pictures import show_pictures
show_pictures(load_models(config.MODELS))
"""


@pytest.fixture
def pictures(page: AppTest) -> AppTest:
    """The page of pictures alone: AppTest opens the first page of several, and no other."""
    return AppTest.from_string(PICTURES, default_timeout=30)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes | Exception]:
    """What each address gives, in place of the network."""
    answers: dict[str, bytes | Exception] = {}

    def fetch(address: str, seconds: float) -> Answer:
        assert 0 < seconds <= 45
        answer = answers[address]
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer, address, "")

    monkeypatch.setattr("emotion.page.addresses.fetch", fetch)
    return answers


def png(image_rgb: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def ask_for(page: AppTest, address: str) -> None:
    page.run()
    page.text_area[0].set_value(address)
    page.button[0].click().run()


def texts(page: AppTest) -> str:
    """All that the page says, one element a line."""
    kinds = (page.header, page.caption, page.text, page.info, page.warning)
    told = [shown.get(name, "") for shown in panels(page) for name in ("notice", "said", "sum", "whose")]
    return "\n".join([*(element.value for kind in kinds for element in kind), *headings(page), *problems(page), *told])


def headings(page: AppTest) -> list[str]:
    """What stands over something, labels of votes too."""
    return [*(shown["label"] for shown in panels(page) if "label" in shown), *_texts_of(page, "<h2 ")]


def problems(page: AppTest) -> list[str]:
    """What the page says went wrong, one by one, also where one box holds several."""
    found = []
    for element in page.get("html"):
        body = element.proto.body
        if body.startswith('<div role="alert"'):
            lines = re.findall("<li[^>]*>(.*?)</li>", body, re.DOTALL) or [re.sub("<.*?>", "", body)]
            found += map(html.unescape, lines)
    return found


def drawn(page: AppTest) -> list[dict[str, Any]]:
    """What is handed to the component that shows pictures and faces to be chosen."""
    components = [element.proto for element in page.get("bidi_component")]
    return [json.loads(component.json) for component in components if component.component_name == "choosing"]


def large(page: AppTest) -> dict[str, Any]:
    """The picture that is open, with the tiles of its faces."""
    [shown] = [data for data in drawn(page) if data["picture"]]
    return shown


def _texts_of(page: AppTest, start: str) -> list[str]:
    bodies = [element.proto.body for element in page.get("html")]
    return [html.unescape(re.sub("<.*?>", "", body)) for body in bodies if body.startswith(start)]


def panels(page: AppTest) -> list[dict[str, Any]]:
    """What the panels of votes show."""
    components = [element.proto for element in page.get("bidi_component")]
    return [json.loads(component.json) for component in components if component.component_name == "vote_panel"]


def panel(page: AppTest) -> dict[str, Any]:
    """What the only panel of a vote shows."""
    [shown] = panels(page)
    return shown


def vote_for(label: str, *others: str) -> Vote:
    ballots = (*others, *(label,) * (5 - len(others)))
    probabilities = dict.fromkeys(CLASSES, 0.1) | {label: 0.8}
    return Vote(
        label,
        ballots,
        probabilities,
        tie=False,
        uncertain=len(others) > 2,
        why=LOW_PROBABILITY if len(others) > 2 else "",
    )


def face(number: int, vote: Vote) -> FaceRecord:
    return FaceRecord(number, vote, vote, Box(0, 0, 9, 9))


def test_page_opens_on_the_webcam_and_says_what_it_is_not_for(page):
    page.run()
    assert not page.exception
    assert "Press Start" in panel(page)["notice"]
    assert "An expression is not a feeling: judge nobody by it." in texts(page)


def test_webcam_asks_for_no_microphone_and_for_no_public_server(page, webcam):
    page.run()
    assert webcam.arguments["rtc_configuration"] == {"iceServers": []}
    assert webcam.arguments["media_stream_constraints"]["audio"] is False
    for where in ("frontend_rtc_configuration", "server_rtc_configuration"):
        assert where not in webcam.arguments
    assert isinstance(webcam.arguments["video_processor_factory"](), StreamProcessor)


class Camera(MediaStreamTrack):
    """Gives frame 0, then, once that was sent, 1 to 9 at once, then none."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.given = 0
        self.first_sent = asyncio.Event()

    async def recv(self) -> av.VideoFrame:
        if self.given > 0:
            await self.first_sent.wait()
        if self.given == 10:
            await asyncio.Event().wait()
        frame = av.VideoFrame(16, 16, "bgr24")
        frame.pts, frame.time_base = self.given, Fraction(1, 30)
        self.given += 1
        return frame


class Drawn(AsyncVideoProcessTrack):
    """Says when it has passed on the last frame."""

    def __init__(self, track: MediaStreamTrack) -> None:
        super().__init__(track, processor=None)
        self.done = asyncio.Event()

    async def recv(self) -> av.VideoFrame:
        frame = await self.track.recv()
        if frame.pts == 9:
            self.done.set()
        return frame


def test_a_computer_that_is_too_slow_to_send_all_frames_sends_the_newest(page, webcam):
    """Those that wait would be sent later and later: people would see themselves as they were ten seconds ago."""
    page.run()
    webcam.arguments["video_processor_factory"]().on_ended()

    async def sent() -> list[int | None]:
        camera = Camera()
        drawn = Drawn(webcam.relay.subscribe(camera))
        sender = webcam.relay.subscribe(drawn)
        first = await sender.recv()
        camera.first_sent.set()
        await drawn.done.wait()
        second = await sender.recv()
        return [first.pts, second.pts]

    assert asyncio.run(asyncio.wait_for(sent(), timeout=30)) == [0, 9]


def test_webcam_panel_shows_the_vote_on_the_largest_face(page, webcam):
    largest = face(1, vote_for("Happy", "Sad"))
    webcam.came_to(State.FACES, largest, face(2, vote_for("Angry")))
    page.run()
    shown = panel(page)
    assert (shown["label"], shown["said"], shown["sure"]) == ("Happy", "4 of 5 models agree.", True)
    assert (shown["face"], shown["faces"]) == (1, [[1, True], [2, True]])
    assert (shown["models"], shown["ballots"]) == (list(config.MODEL_NAMES), list(largest.vote.ballots))
    assert dict(zip(shown["classes"], shown["shares"], strict=True)) == {"Angry": 0.1, "Happy": 0.8, "Sad": 0.1}


def test_bars_show_what_a_vote_would_come_to_now_and_the_label_waits_for_it(page, webcam):
    webcam.came_to(State.FACES, face(1, vote_for("Happy")), glances={1: face(1, vote_for("Sad"))})
    page.run()
    shown = panel(page)
    assert (shown["label"], shown["ring"]) == ("Happy", {"votes": 3, "left": 0.5, "every": 2.0})
    assert dict(zip(shown["classes"], shown["shares"], strict=True)) == {"Angry": 0.1, "Happy": 0.1, "Sad": 0.8}


def test_the_chosen_face_stays_chosen_while_others_come_and_go(page, webcam, monkeypatch):
    one, two, three = (face(number, vote_for("Happy")) for number in (1, 2, 3))
    webcam.came_to(State.FACES, one, two)
    page.run()
    monkeypatch.setattr("emotion.page.live.beside.pressed_face", lambda key: 2)
    for present in ((one, two, three), (two, three), (three, two, one)):
        webcam.came_to(State.FACES, *present)
        page.run()
        assert (panel(page)["face"], panel(page)["label"]) == (2, "Happy")
    webcam.came_to(State.FACES, one, three)
    page.run()
    assert panel(page)["faces"] == [[1, True], [2, False], [3, True]]
    assert panel(page)["notice"] == "Face 2 is not in the picture."
    monkeypatch.setattr("emotion.page.live.beside.pressed_face", lambda key: None)  # as after a look at another part
    page.run()
    assert panel(page)["face"] == 2


def test_a_face_that_nobody_chose_is_shown_as_long_as_it_is_there_and_then_another(page, webcam):
    """The course of whoever is largest at each moment would be that of nobody."""
    one, two = face(1, vote_for("Happy")), face(2, vote_for("Sad"))
    webcam.came_to(State.FACES, one, two)
    page.run()
    webcam.came_to(State.FACES, two, one)
    page.run()
    assert panel(page)["face"] == 1
    webcam.came_to(State.FACES, two, seconds=60.0)
    page.run()
    assert (panel(page)["face"], panel(page)["label"]) == (2, "Sad")


def test_a_start_ends_the_session_before(page, webcam):
    """The browser may have been unable to connect; nobody else says that its session is over, and it has a place."""
    page.run()
    first, second = (webcam.arguments["video_processor_factory"]() for _ in range(2))
    assert first.ended
    assert not second.ended
    second.on_ended()


def test_a_start_on_a_full_server_leaves_the_session_before_to_be_downloaded(page, webcam, monkeypatch):
    page.run()
    before = webcam.arguments["video_processor_factory"]()
    before.on_ended()
    monkeypatch.setattr("emotion.page.webcam.take_place", lambda stream: False)
    too_late = webcam.arguments["video_processor_factory"]()
    assert too_late.turned_away
    webcam.stream = too_late
    page.run()
    assert page.session_state["visit"].stream is before
    monkeypatch.setattr("emotion.page.webcam.is_full", lambda *own: True)
    page.run()
    assert page.info[0].value == BUSY
    labels = [button.label for button in page.get("download_button")]
    assert labels == ["Snapshot", "Session as CSV", "Save", "Report"]


def test_webcam_panel_says_when_the_models_are_divided(page, webcam):
    webcam.came_to(State.FACES, face(1, vote_for("Happy", "Sad", "Sad", "Angry")))
    page.run()
    assert panel(page)["said"] == (
        "Not sure: 2 of 5 models say Happy, but only with 80%. Votes under 50% are mostly wrong."
    )


def test_webcam_panel_tells_a_fault_from_an_empty_picture(page, webcam):
    webcam.came_to(State.NO_FACE)
    page.run()
    assert panel(page)["notice"] == "No face"
    webcam.came_to(State.FAULT)
    page.run()
    assert panel(page)["notice"] == "Recognition failed, see the server's log"


def test_image_address_shows_each_face_with_its_five_ballots(pictures, served):
    portrait = skimage.data.astronaut()[0:250, 110:330]
    served[ADDRESS] = png(np.hstack([portrait, portrait // 2]))
    ask_for(pictures, ADDRESS)
    assert not pictures.exception
    assert [tile["told"].partition(":")[0] for tile in large(pictures)["tiles"]] == ["Face 1", "Face 2"]
    assert "2 faces found. Is somebody missing?" in texts(pictures)
    pictures.session_state["visit"].request.chosen["picture_0"] = 1
    pictures.run()
    assert large(pictures)["chosen"] == 1
    assert len(headings(pictures)) == 1
    assert panel(pictures)["models"] == list(config.MODEL_NAMES)
    assert set(panel(pictures)["ballots"]) <= set(CLASSES)
    assert ADDRESS in texts(pictures)


def test_faces_are_numbered_from_left_to_right(pictures, served):
    """Also in the table: largest first, as they are found, nobody could read them off the picture."""
    portrait = skimage.data.astronaut()[0:250, 110:330]
    picture = np.full((400, 900, 3), 90, dtype=np.uint8)
    picture[100:225, 20:130] = cv2.resize(portrait, (110, 125))
    picture[0:375, 200:530] = cv2.resize(portrait, (330, 375))
    picture[100:350, 600:820] = portrait
    served[ADDRESS] = png(picture)
    ask_for(pictures, ADDRESS)
    [found] = pictures.session_state["visit"].request.pictures
    edges = [face.box.x for face in found.faces]
    assert edges == sorted(edges)
    assert len(edges) == 3
    _, *rows = pictures_csv([found], load_models(config.MODELS)).splitlines()
    assert [tuple(map(int, row.split(",")[1:3])) for row in rows] == list(enumerate(edges, start=1))
    shown = large(pictures)["picture"]["places"]
    assert [round(900 * left) for left, *_ in shown] == edges


def test_of_several_pictures_the_first_with_a_face_is_open_and_each_can_be_opened(pictures, served):
    served["https://a/wall.png"] = png(np.full((300, 500, 3), 90, np.uint8))
    served["https://b/portrait.png"] = png(skimage.data.astronaut())
    served["https://c/face.png"] = png(cv2.resize(skimage.data.astronaut()[0:250, 110:330], (48, 48)))
    ask_for(pictures, "https://a/wall.png https://b/portrait.png https://c/face.png")
    [grid] = [data for data in drawn(pictures) if not data["picture"]]
    assert [tile["name"] for tile in grid["tiles"]] == ["wall.png", "portrait.png", "face.png"]
    assert grid["tiles"][0]["told"] == "wall.png: no face"
    assert re.fullmatch(r"(?:Angry|Happy|Sad) \d+%(?:, uncertain)?", grid["tiles"][1]["said"])
    assert grid["chosen"] == 1
    assert "portrait.png" in large(pictures)["picture"]["alt"]
    pictures.session_state["visit"].request.opened = 0
    pictures.run()
    assert large(pictures)["picture"]["alt"] == "The picture wall.png: no face"
    assert "Annotated picture" not in [button.label for button in pictures.get("download_button")]
    pictures.session_state["visit"].request.opened = 2
    pictures.run()
    assert large(pictures)["picture"]["width"] >= 240, "48 pixels would be a stamp"


def test_a_new_choice_takes_the_place_of_the_old_one(pictures, served):
    """Files that were chosen before came again on top, and had to be taken out one by one."""
    portrait = png(skimage.data.astronaut())
    pictures.run()
    pictures.file_uploader[0].set_value([("group.png", portrait, "image/png"), ("other.png", portrait, "image/png")])
    pictures.button[0].click().run()
    assert [expander.label for expander in pictures.expander] == ["Other pictures"]
    assert pictures.file_uploader[0].value == []
    pictures.file_uploader[0].set_value([("new.png", portrait, "image/png")])
    pictures.button[0].click().run()
    names = [picture.name for picture in pictures.session_state["visit"].request.pictures]
    assert names == ["new.png"]
    assert pictures.file_uploader[0].value == []


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("portrait.jpg", "portrait"),
        ("https://example.org/a/My%20cat%20&%20me.jpeg?size=2", "My-cat-me"),
        ("https://example.org/", "example"),
        ("../../etc/passwd", "passwd"),
        ("C:\\me\\Ägypten (1).png", "C-me-Ägypten-1"),
        ("...", "picture"),
        ("x" * 300 + ".png", "x" * 60),
    ],
)
def test_a_picture_that_is_taken_home_is_called_after_where_it_came_from(name: str, stem: str) -> None:
    assert file_stem(name) == stem


def test_pictures_are_kept_small(pictures, served):
    """Twenty of them are in memory as long as somebody's page is open. A small one may be a face: it stays as it is."""
    photograph = cv2.resize(skimage.data.astronaut(), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    small = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    served[ADDRESS], served["https://b/"] = png(photograph), png(small)
    ask_for(pictures, f"{ADDRESS} https://b/")
    of_photograph, of_small = pictures.session_state["visit"].request.pictures
    kept = (of_photograph.encoded, of_photograph.thumbnail, of_photograph.annotated.encoded)
    assert sum(map(len, kept)) < 1_000_000
    assert (of_small.decoded()[:, :, ::-1] == small).all()


def test_a_reason_why_shows_the_face_with_its_decisive_parts(pictures, served):
    served[ADDRESS] = png(skimage.data.astronaut())
    ask_for(pictures, ADDRESS)
    pictures.toggle[0].set_value(True).run()
    assert not pictures.exception
    assert reason_drawn(pictures)
    told = "No single spot matters|Covering the brightest spot takes \\d+ percentage points? \\(\\d+% to \\d+%\\)"
    assert re.search(told, texts(pictures))


def test_the_same_colour_means_the_same_loss_for_every_face():
    """Stretched to its own most, eight points were as yellow as fourteen."""
    vector = np.full(config.N_PIXELS, 128, dtype=np.uint8)
    weak, strong = (np.zeros((48, 48), dtype=np.float32) for _ in range(2))
    weak[:24], strong[:24], strong[24:] = MOST_LOSS / 2, MOST_LOSS / 2, MOST_LOSS
    one, other = heat_picture(vector, weak, 48), heat_picture(vector, strong, 48)
    assert (one[10] == other[10]).all()
    assert not (other[40] == other[10]).all()


@pytest.mark.parametrize(
    ("strongest", "told"),
    [
        (0.14, "Covering the brightest spot takes 14 percentage points (80% to 66%)."),
        (0.021, "Covering the brightest spot takes 2 percentage points (80% to 78%)."),
        (0.019, "No single spot matters: whichever is covered, less than two percentage points are lost."),
        (-0.1, "No single spot matters: whichever is covered, less than two percentage points are lost."),
    ],
)
def test_a_reason_is_told_in_points(strongest: float, told: str) -> None:
    assert reason_told(vote_for("Happy"), strongest) == told


def test_several_addresses_give_what_is_there_and_the_reason_for_the_rest(pictures, served):
    served[ADDRESS], served["https://b/"] = png(skimage.data.astronaut()), FetchError("Nobody answers.")
    ask_for(pictures, f"{ADDRESS}\nhttps://b/")
    assert len(pictures.session_state["visit"].request.pictures) == 1
    assert problems(pictures) == ["https://b/: Nobody answers."]


def test_addresses_may_have_blanks_and_share_a_line(pictures, served):
    served["https://a/my picture.png"] = served["https://b/"] = served["http://c/"] = png(skimage.data.astronaut())
    ask_for(pictures, "https://a/my picture.png\n\n  https://b/ http://c/ ")
    assert not problems(pictures)
    names = [picture.name for picture in pictures.session_state["visit"].request.pictures]
    assert names == ["https://a/my picture.png", "https://b/", "http://c/"]


def test_an_example_is_one_click_away(pictures):
    pictures.run()
    [example] = [button for button in pictures.button if button.label == "Grace Hopper"]
    example.click().run()
    assert not pictures.exception
    assert headings(pictures)[0] in CLASSES


def test_address_of_the_page_opens_a_picture(pictures, served):
    served[ADDRESS] = png(skimage.data.astronaut())
    pictures.query_params["url"] = ADDRESS
    pictures.run()
    assert headings(pictures)[0] in CLASSES


@pytest.mark.parametrize("cause", ["insecure", "none", "denied"])
def test_a_camera_that_cannot_start_gives_its_reason_and_another_way(page, webcam, cause):
    webcam.refusal = cause
    page.run()
    assert not page.exception
    assert page.warning[0].value == CAUSES[cause]
    assert page.get("file_uploader")[0].label == "Choose a picture instead"


def test_a_connection_that_does_not_come_about_gives_its_reason_and_another_way(page, webcam, monkeypatch):
    webcam.playing = True
    page.run()
    assert not page.warning, "it has ten seconds"
    monkeypatch.setattr("emotion.page.state.CONNECTING_SECONDS", -1.0)
    page.run()
    assert page.warning[0].value == CAUSES["connection"]
    assert len(page.get("camera_input")) == 1


def test_session_is_summed_up(page, webcam):
    webcam.came_to(State.FACES, face(1, vote_for("Happy")))
    page.run()
    assert not page.exception
    summary = "In all, 2.0 s with face 1: Happy 100%. Longest stretch: Happy, 2.0 s. Changes: 0."
    assert panel(page)["sum"] == summary


@pytest.mark.parametrize("environment", [{"EMOTION_TURN": "https://x"}, {"EMOTION_STUN": "turn:x"}])
@pytest.mark.hostile("what the variable must look like")
def test_a_wrong_relay_address_is_named(environment):
    with pytest.raises(ValueError, match=next(iter(environment.values()))):
        ice_servers(environment)


def test_relays_are_read_from_the_environment_and_none_is_the_default():
    assert ice_servers({}) == []
    named = {"EMOTION_STUN": "stun:a:1, stun:b:2", "EMOTION_TURN": "turn:c", "EMOTION_TURN_USER": "u"}
    stun, turn = ice_servers(named)
    assert stun == {"urls": ["stun:a:1", "stun:b:2"]}
    assert turn == {"urls": ["turn:c"], "username": "u", "credential": ""}


@pytest.mark.hostile("All webcam places of this server are taken")
def test_a_full_server_says_so_in_place_of_the_camera(page, webcam, monkeypatch):
    monkeypatch.setattr("emotion.page.webcam.is_full", lambda *own: True)
    page.run()
    assert not page.exception
    assert page.info[0].value == BUSY
    assert not webcam.arguments, "no stream is offered"


def test_a_session_that_came_too_late_says_so(page, webcam):
    webcam.came_to(State.BUSY)
    page.run()
    assert page.info[0].value == BUSY


@pytest.mark.hostile("The addresses before it took too long: ask for fewer at a time")
def test_addresses_of_one_request_share_a_time(pictures, served, monkeypatch):
    """Twenty servers that each drip for fifteen seconds would keep a place for five minutes."""
    monkeypatch.setattr("emotion.page.pictures.asking.REQUEST_SECONDS", 0.0)
    ask_for(pictures, "https://a/ https://b/")
    assert len(problems(pictures)) == 2
    assert all("The addresses before it took too long" in problem for problem in problems(pictures))


def test_the_server_is_closed_to_others_unless_it_is_opened():
    options = tomllib.loads((config.ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert options["server"]["address"] == "127.0.0.1"
    assert options["server"]["enableXsrfProtection"] is True
    assert options["server"]["enableCORS"] is True
    assert options["server"]["maxUploadSize"] <= 200
    assert options["browser"]["gatherUsageStats"] is False
    assert options["client"]["showErrorDetails"] == "none"


def test_picture_without_a_face_is_shown_with_advice(pictures, served):
    served[ADDRESS] = png(np.full((200, 300, 3), 90, dtype=np.uint8))
    ask_for(pictures, ADDRESS)
    assert "No face was found" in pictures.warning[0].value
    assert large(pictures)["picture"]["alt"].endswith(": no face")


def test_a_small_picture_without_a_face_can_be_taken_for_one(pictures, served):
    """As teachers bring them: faces of a data set, cut out by somebody else."""
    served[ADDRESS] = png(np.full((96, 96, 3), 90, dtype=np.uint8))
    ask_for(pictures, ADDRESS)
    assert "Faces that are turned away" in pictures.warning[0].value
    [whole] = [button for button in pictures.button if button.label == "Take the whole picture as a face"]
    whole.click().run()
    [picture] = pictures.session_state["visit"].request.pictures
    assert [face.box for face in picture.faces] == [(0, 0, 96, 96)]
    assert not pictures.warning


@pytest.mark.hostile("the picture, and that no face was found")
def test_a_picture_of_one_row_costs_the_others_nothing(pictures, served):
    served[ADDRESS], served["https://b/"] = png(np.zeros((1, 20_000, 3), np.uint8)), png(skimage.data.astronaut())
    ask_for(pictures, f"{ADDRESS}\nhttps://b/")
    assert not pictures.exception
    assert headings(pictures)[0] in CLASSES
    pictures.session_state["visit"].request.opened = 0
    pictures.run()
    assert not pictures.exception
    assert "No face was found" in pictures.warning[0].value


def test_whatever_is_pressed_meanwhile_the_other_pictures_are_looked_at(pictures, served, monkeypatch):
    """Streamlit breaks the drawing of a page off where a visitor presses something, and begins anew."""
    served[ADDRESS], served["https://b/"] = png(skimage.data.astronaut()), FetchError("Nobody answers.")
    pressed = iter([False, True, False, True])
    recognize = emotion.page.pictures.asking.recognize_picture

    def recognize_unless_pressed(*arguments: Any) -> Any:
        if next(pressed, False):
            raise RerunException(RerunData())
        return recognize(*arguments)

    monkeypatch.setattr("emotion.page.pictures.asking.recognize_picture", recognize_unless_pressed)
    served["https://c/"] = served["https://d/"] = served[ADDRESS]
    ask_for(pictures, f"{ADDRESS}\nhttps://b/\nhttps://c/\nhttps://d/")
    assert not pictures.exception
    names = [picture.name for picture in pictures.session_state["visit"].request.pictures]
    assert names == [ADDRESS, "https://c/", "https://d/"]
    assert problems(pictures) == ["https://b/: Nobody answers."]


def test_two_drawings_at_once_look_at_each_picture_once(page, monkeypatch):
    """Streamlit begins the next drawing while the one before still waits for a server, and ends that one afterwards."""
    page.run()
    models, portrait = load_models(config.MODELS), png(skimage.data.astronaut())
    looked_at: list[str] = []
    is_looking, may_go_on = threading.Event(), threading.Event()

    def source(name: str) -> Source:
        def read() -> bytes:
            looked_at.append(name)
            is_looking.set()
            assert may_go_on.wait(30)
            return portrait

        return name, read

    visited = Visit(request=Request([source(name) for name in "abc"]))
    monkeypatch.setattr("emotion.page.pictures.asking.visit", lambda: visited)
    monkeypatch.setattr("emotion.page.pictures.asking.st.spinner", lambda _: nullcontext())
    with ThreadPoolExecutor() as pool:
        first = pool.submit(emotion.page.pictures.asking.answered, models)
        assert is_looking.wait(30)
        second = pool.submit(emotion.page.pictures.asking.answered, models)
        wait([second], timeout=0.2)  # it looks at nothing as long as the first does
        assert looked_at == ["a"]
        may_go_on.set()
        for drawing in (first, second):
            assert [picture.name for picture in drawing.result(30)] == ["a", "b", "c"]
    assert looked_at == ["a", "b", "c"]


def test_failed_address_replaces_the_result_by_its_reason(pictures, served):
    served[ADDRESS] = png(skimage.data.astronaut())
    ask_for(pictures, ADDRESS)
    assert headings(pictures)
    served["ftp://x"] = FetchError("Only http and https addresses are fetched.")
    ask_for(pictures, "ftp://x")
    assert problems(pictures) == ["Only http and https addresses are fetched."]
    assert not headings(pictures), "an old result under a new error would be taken for the new picture's"


def test_something_else_than_a_picture_is_called_so(pictures, served):
    served[ADDRESS] = b"<html>not found</html>"
    ask_for(pictures, ADDRESS)
    assert problems(pictures) == [
        "The address leads to a web page, not to a picture: copy the picture's own address (right click on it), or "
        "save it and use the file."
    ]
    assert not [button for button in pictures.button if "main picture" in button.label], "it names none"


def test_the_main_picture_of_a_page_is_one_press_away(pictures, served):
    """People copy the address of the page that a picture stands on."""
    served[ADDRESS], served["https://b/"] = png(skimage.data.astronaut()), FetchError("Nobody answers.")
    served["https://example.org/p/1"] = b"<html><head><meta property='og:image' content='/portrait.png'></head>"
    ask_for(pictures, "https://example.org/p/1 https://b/")
    [offer] = [button for button in pictures.button if button.label == "Open the page's main picture"]
    offer.click().run()
    assert not pictures.exception
    assert [picture.name for picture in pictures.session_state["visit"].request.pictures] == [ADDRESS]
    assert problems(pictures) == ["https://b/: Nobody answers."], "what is said of the others stays"


@pytest.mark.hostile("Pictures are only fetched from the public internet, and HOST is not part of it")
def test_a_page_cannot_lead_into_a_private_network(pictures, monkeypatch):
    monkeypatch.setattr("emotion.page.addresses.fetch", guarded := FirstFromTable(emotion.page.addresses.fetch))
    guarded.page = b"<html><meta name=og:image content=http://127.0.0.1:8501/secret.png>"
    monkeypatch.delenv(LOOPBACK_SWITCH, raising=False)
    ask_for(pictures, ADDRESS.replace("https", "http"))
    [offer] = [button for button in pictures.button if button.label == "Open the page's main picture"]
    offer.click().run()
    [told] = problems(pictures)
    assert told.startswith("http://127.0.0.1:8501/secret.png: Pictures are only fetched from the public internet")


class FirstFromTable:
    """Answers the first address with a page, and hands all others on."""

    def __init__(self, fetch: Callable[[str, float], Answer]) -> None:
        self.fetch = fetch
        self.page = b""

    def __call__(self, address: str, seconds: float) -> Answer:
        page, self.page = self.page, b""
        return Answer(page, address, "text/html") if page else self.fetch(address, seconds)


def test_a_file_of_ones_own_computer_is_to_be_chosen_as_one(pictures, served):
    """Not looked for on the web, nor on the server; what else was asked for is there."""
    served[ADDRESS] = png(skimage.data.astronaut())
    ask_for(pictures, f"C:\\Users\\me\\me.jpg\n{ADDRESS}")
    assert problems(pictures) == [
        "C:\\Users\\me\\me.jpg is a file of your computer, not a web address: choose it as a file below."
    ]
    assert headings(pictures)[0] in CLASSES


def test_of_several_problems_each_says_whose_it_is(pictures, served):
    served[ADDRESS] = FetchError("Nobody answers.")
    ask_for(pictures, f"me.jpg\n{ADDRESS}")
    assert [told.partition(" ")[0] for told in problems(pictures)] == ["me.jpg", f"{ADDRESS}:"]


def test_who_asks_for_nothing_is_told_what_may_be_asked_for(pictures):
    """Also where the browser has refused a file that is too large, which the server never hears of."""
    ask_for(pictures, " \n ")
    assert [told.value for told in pictures.info] == [
        "There is nothing to look at: give an address, or choose a file of at most 50 MB."
    ]
    assert not problems(pictures), "it is a hint"


def test_any_file_may_be_chosen_and_is_told_by_its_content(pictures):
    """IMG_0001.HEIC may be a JPEG, a picture may have no ending, and a wrong file has a sentence of its own."""
    pictures.run()
    jpeg = cv2.imencode(".jpg", skimage.data.astronaut()[:, :, ::-1])[1].tobytes()
    files = {"IMG_0001.HEIC": jpeg, "portrait": jpeg, "portrait.jfif": jpeg, "me.zip": b"PK\x05\x06" + bytes(18)}
    assert not pictures.file_uploader[0].allowed_type
    pictures.file_uploader[0].set_value([(name, data, "") for name, data in files.items()])
    pictures.button[0].click().run()
    assert not pictures.exception
    names = [picture.name for picture in pictures.session_state["visit"].request.pictures]
    assert names == ["IMG_0001.HEIC", "portrait", "portrait.jfif"]
    [problem] = problems(pictures)
    assert problem.startswith("me.zip: ")


def test_several_problems_stand_in_one_box_that_is_folded_beside_pictures(pictures, served):
    """A red box each, of the whole width, pushed the good result off the screen."""
    served[ADDRESS], served["https://b/"] = png(skimage.data.astronaut()), FetchError("Nobody answers.")
    ask_for(pictures, f"{ADDRESS} https://b/\nme.jpg")
    [box] = [element.proto.body for element in pictures.get("html") if 'role="alert"' in element.proto.body]
    assert "<details><summary" in box
    assert ">2 addresses or files could not be shown</summary>" in box
    assert len(problems(pictures)) == 2
    ask_for(pictures, "https://b/\nme.jpg")
    [box] = [element.proto.body for element in pictures.get("html") if 'role="alert"' in element.proto.body]
    assert "<details open>" in box, "there is nothing else to see"
    assert not pictures.expander, "the form is wanted"


def test_the_address_of_the_page_may_be_decorated_too(pictures, served):
    served[ADDRESS] = png(skimage.data.astronaut())
    pictures.query_params["url"] = f"<{ADDRESS}>"
    pictures.run()
    assert headings(pictures)[0] in CLASSES


@pytest.mark.hostile("Pictures are only fetched from the public internet, and HOST is not part of it")
def test_address_on_this_computer_is_refused(pictures, monkeypatch):
    monkeypatch.delenv(LOOPBACK_SWITCH, raising=False)
    ask_for(pictures, "http://127.0.0.1:8501/picture.png")
    assert "only fetched from the public internet" in problems(pictures)[0]


@pytest.mark.hostile("Something went wrong on the server; its log says what")
def test_unexpected_fault_goes_to_the_log_and_not_to_the_visitor(pictures, served, caplog):
    served[ADDRESS] = RuntimeError("secret/path.py broke")
    with caplog.at_level(logging.ERROR, logger="emotion.page.pictures.asking"):
        ask_for(pictures, ADDRESS)
    assert not pictures.exception
    assert "Something went wrong" in problems(pictures)[0]
    assert "secret" not in texts(pictures)
    assert caplog.records[0].exc_info[0] is RuntimeError


@pytest.mark.slow
@pytest.mark.hostile("the picture, smaller")
def test_huge_picture_is_reduced_before_it_goes_to_the_browser(pictures, served):
    served[ADDRESS] = png(np.full((2000, 4000, 3), 90, dtype=np.uint8))
    ask_for(pictures, ADDRESS)
    assert pictures.session_state["visit"].request.pictures[0].size == (1460, 730)


def test_missing_models_are_named_and_the_page_heals_without_a_restart(page, monkeypatch, tmp_path):
    monkeypatch.setattr(config, "MODELS", tmp_path / "none")
    page.run()
    assert "There are no trained models" in problems(page)[0]
    assert not page.exception
    monkeypatch.setattr(config, "MODELS", tmp_path / "models")
    page.run()
    assert not problems(page)


def test_models_that_were_trained_meanwhile_vote_from_then_on(page, webcam, tmp_path):
    """As the card says, which is read anew."""
    page.run()
    assert webcam.arguments["video_processor_factory"]().models.classes == CLASSES
    write_tiny_models(tmp_path / "models", OTHER_CLASSES)
    page.run()
    assert not problems(page)
    assert webcam.arguments["video_processor_factory"]().models.classes == OTHER_CLASSES


def test_another_folder_of_models_can_be_served(page, webcam, monkeypatch, tmp_path):
    """Also where none ship."""
    write_tiny_models(tmp_path / "others", OTHER_CLASSES)
    monkeypatch.setattr(config, "MODELS", tmp_path / "none")
    monkeypatch.setenv("EMOTION_MODELS", str(tmp_path / "others"))
    page.run()
    assert not problems(page)
    assert webcam.arguments["video_processor_factory"]().models.classes == OTHER_CLASSES
    assert not page.selectbox


OTHER_CLASSES = ("Calm", "Glad", "Tired")

PICTURES_AND_CARD = """
from emotion import config, load_models
from emotion.page.models import show_models
from emotion.page.pictures import show_pictures
show_pictures(load_models(config.MODELS))
show_models(load_models(config.MODELS))
"""

CARD_IN_PAGE = """
from types import SimpleNamespace
from emotion import config
from emotion.page.models import show_models
from web_app import _with_models
_with_models(SimpleNamespace(folder=config.MODELS), show_models)
"""

CARD = """
from emotion import config, load_models
from emotion.page.models import show_models
show_models(load_models(config.MODELS))
"""


def test_nobody_is_asked_which_models_are_to_vote_where_there_is_one_set(page):
    page.run()
    assert not page.selectbox


@pytest.fixture
def own(page, tmp_path) -> Path:
    """Models of other classes, where own training puts them."""
    return write_tiny_models(tmp_path / "my-models", OTHER_CLASSES)


def test_own_models_vote_once_they_are_chosen(page, webcam, own):
    """After own training, people tried the shipped models and took them for theirs."""
    page.run()
    assert page.selectbox[0].options == ["shipped", "my-models"]
    assert webcam.arguments["video_processor_factory"]().models.classes == CLASSES
    page.selectbox[0].set_value("my-models").run()
    assert webcam.arguments["video_processor_factory"]().models.classes == OTHER_CLASSES
    assert not problems(page)


def test_the_address_of_the_page_names_models(page, webcam, own):
    """Training prints it."""
    page.query_params["models"] = "my-models"
    page.run()
    assert page.selectbox[0].value == "my-models"
    assert webcam.arguments["video_processor_factory"]().models.classes == OTHER_CLASSES


def test_a_name_that_no_models_have_is_said_until_others_are_chosen(page, own):
    page.query_params["models"] = "mine"
    for _ in range(2):  # the page is drawn again as soon as the browser has told of its camera
        page.run()
        assert problems(page) == ["No models are called mine here. There are: shipped, my-models. Now shipped vote."]
    page.selectbox[0].set_value("my-models").run()
    assert not problems(page)


def test_models_that_were_asked_for_before_they_were_trained_are_no_longer_missed(page, own):
    page.query_params["models"] = "later"
    page.run()
    assert "No models are called later here" in problems(page)[0]
    write_tiny_models(own / "later")
    page.run()
    assert not problems(page)


def test_the_folder_that_the_page_was_started_with_votes_at_first(page, webcam, own, monkeypatch):
    monkeypatch.setenv("EMOTION_MODELS", str(own))
    page.run()
    assert page.selectbox[0].value == "my-models"
    assert webcam.arguments["video_processor_factory"]().models.classes == OTHER_CLASSES


def test_a_folder_without_models_that_the_page_was_started_with_is_named(page, monkeypatch, tmp_path):
    """Else the shipped models would vote, and nobody would know why."""
    monkeypatch.setenv("EMOTION_MODELS", str(tmp_path / "none"))
    page.run()
    assert problems(page)[0].startswith(f"There are no trained models in {tmp_path / 'none'}")
    assert "Press Start" in panel(page)["notice"]


def test_beside_models_that_are_damaged_others_can_be_chosen(page, own):
    (own / "model_2.onnx").write_bytes(b"")
    page.query_params["models"] = "my-models"
    page.run()
    assert "its checksum differs" in problems(page)[0]
    page.selectbox[0].set_value("shipped").run()
    assert not problems(page)
    assert "Press Start" in panel(page)["notice"]


def test_models_whose_manifest_is_damaged_disturb_nobody_who_did_not_ask_for_them(page, own):
    (own / config.MANIFEST_FILE).write_text("{", encoding="utf-8")
    page.run()
    assert not problems(page)
    page.query_params["models"] = "my-models"
    page.run()
    assert [problem for problem in problems(page) if "is damaged or cannot be read" in problem]


def test_a_session_keeps_its_models_and_says_so(page, webcam, own):
    """Votes of some must not stand under the name of others."""
    webcam.came_to(State.FACES, face(1, vote_for("Happy")))
    page.run()
    assert "This session goes on" not in texts(page)
    page.selectbox[0].set_value("my-models").run()
    assert "This session goes on with the shipped models, as it began. To have my-models vote" in texts(page)
    assert panel(page)["whose"] == "By the shipped models."


def test_a_vote_says_whose_it_is(own, served):
    served[ADDRESS] = png(skimage.data.astronaut())
    manifest = json.loads((own / config.MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest["trained"], manifest["calibration"]["interval"] = "2026-11-29", None
    (own / config.MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    pictures = AppTest.from_string(PICTURES.replace("config.MODELS", "config.OWN_MODELS"), default_timeout=30)
    ask_for(pictures, ADDRESS)
    assert panel(pictures)["whose"] == f"By my-models: Calm, Glad, Tired; trained on 2026-11-29. {UNMEASURED}"
    [picture] = pictures.session_state["visit"].request.pictures
    assert pictures_csv([picture], load_models(own)).splitlines()[1].endswith(",my-models")


@pytest.mark.parametrize("card", [None, b"\xff\xfe"])
def test_a_card_that_is_missing_or_damaged_is_told(page, tmp_path, card):
    """What the models are not for, it says: nobody is to see a page without."""
    if card is not None:
        (tmp_path / "models" / "README.md").write_bytes(card)
    shown = AppTest.from_string(CARD_IN_PAGE, default_timeout=30).run()
    assert not shown.exception
    told = "/models/README.md is missing or cannot be read: restore it from the repository, or train anew."
    assert [html.unescape(problem).endswith(told) for problem in problems(shown)] == [True]


def test_pictures_stand_in_the_card_where_it_speaks_of_them(page, tmp_path):
    """At its end, nobody knew what the confusion matrix was for."""
    folder = tmp_path / "models"
    (folder / "final_model.png").write_bytes(png(skimage.data.astronaut()))
    card = "before\n\n```mermaid\nflowchart TB\n```\n\nbetween\n\n![a matrix](final_model.png)\n\nafter ![](gone.png)\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    shown = AppTest.from_string(CARD, default_timeout=30).run()
    assert not shown.exception
    [card, _] = shown.expander
    kinds = [element.type for element in card][1:6]
    assert kinds == ["markdown", "image", "markdown", "image", "markdown"]


def test_the_card_of_models_to_compare_with_is_shown_apart(page, tmp_path):
    folder = tmp_path / "models"
    (folder / "README.md").write_text("the card", encoding="utf-8")
    shown = AppTest.from_string(CARD, default_timeout=30).run()
    labels = [expander.label for expander in shown.expander]
    assert labels == ["The model card: everything that was measured", "Versions and checksums"]
    (write_tiny_models(folder / "fer2013") / "README.md").write_text("the other card", encoding="utf-8")
    shown.run()
    assert not shown.exception
    [compared] = [expander for expander in shown.expander if "FER2013's labels" in expander.label]
    assert "the other card" in [text.value for text in compared.markdown]


def test_pictures_that_are_shown_are_voted_on_anew_by_models_that_were_trained_meanwhile(page, served, tmp_path):
    folder = tmp_path / "models"
    served[ADDRESS] = png(skimage.data.astronaut())
    (folder / "README.md").write_text("the card", encoding="utf-8")
    pictures = AppTest.from_string(PICTURES_AND_CARD, default_timeout=30)
    ask_for(pictures, ADDRESS)
    assert headings(pictures)[0] in CLASSES
    boxes = [face.box for face in pictures.session_state["visit"].request.pictures[0].faces]
    (folder / "README.md").unlink()
    (write_tiny_models(folder, OTHER_CLASSES) / "README.md").write_text("the new card", encoding="utf-8")
    pictures.run()
    assert not pictures.exception
    assert headings(pictures)[0] in OTHER_CLASSES
    assert set(panel(pictures)["ballots"]) <= set(OTHER_CLASSES)
    assert "the new card" in [text.value for text in pictures.markdown]
    assert [face.box for face in pictures.session_state["visit"].request.pictures[0].faces] == boxes


def test_the_reason_why_is_that_of_the_models_that_voted(page, served, tmp_path):
    """Sets that elect the same label of the same face have reasons of their own."""
    folder = tmp_path / "models"
    served[ADDRESS] = png(skimage.data.astronaut())
    pictures = AppTest.from_string(PICTURES_AND_CARD, default_timeout=30)
    (folder / "README.md").write_text("a card", encoding="utf-8")
    ask_for(pictures, ADDRESS)
    pictures.toggle[0].set_value(True).run()
    reason = reason_drawn(pictures)
    (folder / "README.md").unlink()
    write_tiny_models(folder, ("Angry", "Fear", "Happy", "Neutral", "Sad"))
    (folder / "README.md").write_text("a card", encoding="utf-8")
    pictures.run()
    assert not pictures.exception
    assert headings(pictures)[0] == "Happy", "the class in the middle, to both"
    assert reason_drawn(pictures) != reason


def reason_drawn(page: AppTest) -> str:
    """The picture that says why, as an address."""
    bodies = [element.proto.body for element in page.get("html")]
    [source] = [found for body in bodies for found in re.findall(r'src="([^"]*)" alt="The face, coloured where', body)]
    return source


WITHOUT_PICKLES = """
import os, pickle, sys, joblib, numpy, pandas  # the last derives from an Unpickler when it is imported
def reached(*_, **__):  # an exception might be caught on the way
    print("a pickle is opened", file=sys.stderr, flush=True)
    os._exit(3)
pickle.load = pickle._load = pickle.Unpickler = pickle._Unpickler = joblib.load = numpy.lib.format.read_array = reached
from streamlit.testing.v1 import AppTest
"""

SERVING = {
    "webcam": """
from types import SimpleNamespace
import emotion.page.webcam
stopped = SimpleNamespace(state=SimpleNamespace(playing=False, signalling=False), video_processor=None)
emotion.page.webcam.webrtc_streamer = lambda **_: stopped
emotion.page.webcam.browser_refusal = lambda: ""
from tests.page.whole import whole_page
page = whole_page().run()
assert not page.exception, page.exception
""",
    "pictures": f"""
page = AppTest.from_string({PICTURES!r}, default_timeout=60).run()
next(button for button in page.button if button.label == "Grace Hopper").click().run()
assert not page.exception, page.exception
assert any("of 5 models " in component.proto.json for component in page.get("bidi_component"))
""",
    "models": f"""
page = AppTest.from_string({CARD!r}, default_timeout=60).run()
assert not page.exception, page.exception
assert any("The way of a face" in text.value for text in page.markdown), page.markdown
""",
    "predict": """
from emotion.cli import main
assert main(["predict", "docs/examples/Grace-Hopper.jpg"]) == 0
""",
    "load_models": """
import emotion
emotion.load_models("models")
""",
}


@pytest.mark.slow
@pytest.mark.hostile("nothing; no pickle is ever opened")
@pytest.mark.parametrize("what", SERVING)
def test_what_serves_opens_no_pickle(what):
    """A pickle can hold any program: whoever could replace a file could run it."""
    script = WITHOUT_PICKLES + SERVING[what]
    done = subprocess.run([sys.executable, "-c", script], cwd=config.ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_page_loads_no_training_library():
    """They would add seconds to the start, and the page must run where they are not installed."""
    script = """
import sys
from tests.page.whole import whole_page
page = whole_page()
import emotion.page.webcam
from types import SimpleNamespace
stopped = SimpleNamespace(state=SimpleNamespace(playing=False, signalling=False), video_processor=None)
emotion.page.webcam.webrtc_streamer = lambda **_: stopped
emotion.page.webcam.browser_refusal = lambda: ""
page.run()
assert not page.exception, page.exception
training = ("dataset", "vectorize", "splitting", "recipes", "training", "export", "evaluation", "embedding")
unwanted = {"sklearn", "xgboost", "imblearn", "matplotlib", "torch", *(f"emotion.{name}" for name in training)}
assert not unwanted & set(sys.modules), unwanted & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=config.ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
