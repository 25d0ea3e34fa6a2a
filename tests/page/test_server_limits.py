"""How much one server does at once, and what those are told who come too late."""

import gc
from collections.abc import Iterator, Sequence

import av
import numpy as np
import pytest

from emotion.errors import FetchError
from emotion.faces.crop import FaceVector
from emotion.faces.detect import Box, Detection
from emotion.faces.pixels import BGRImage
from emotion.page import server
from emotion.streams.webcam import FaceVideo
from emotion.vote.recognizer import FaceEmotion


class SeesNobody:
    def find(self, image_bgr: BGRImage) -> list[tuple[Detection, FaceVector]]:
        return []

    def find_near(self, image_bgr: BGRImage, box: Box) -> Box | None:
        return None

    def why_no_face(self, image_bgr: BGRImage) -> str:
        return ""

    def vote(self, found: Sequence[tuple[Detection, FaceVector]]) -> list[FaceEmotion]:
        return []


@pytest.fixture
def two_places(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FaceVideo]]:
    """A server with two places, both taken."""
    monkeypatch.setenv("EMOTION_SESSIONS", "2")
    gc.collect()
    videos = [FaceVideo(SeesNobody(), 0.5) for _ in range(2)]
    assert [server.take_place(video) for video in videos] == [True, True]
    yield videos
    for video in videos:
        video.on_ended()


def newcomer_gets_in() -> bool:
    video = FaceVideo(SeesNobody(), 0.5)
    taken = server.take_place(video)
    video.on_ended()
    return taken


@pytest.mark.hostile("All webcam places of this server are taken")
def test_nobody_gets_a_place_that_is_taken(two_places):
    assert server.is_full()
    assert not newcomer_gets_in()


def test_the_place_of_one_who_leaves_is_free(two_places):
    two_places[0].on_ended()
    assert not server.is_full()
    assert newcomer_gets_in()


@pytest.mark.hostile("nothing; the place is free again")
def test_the_place_of_one_who_is_forgotten_is_free(two_places):
    """A browser that vanishes before its first frame ends nothing."""
    two_places.pop()
    gc.collect()
    assert newcomer_gets_in()


@pytest.mark.hostile("nothing; the place is free again")
def test_the_place_of_one_who_cannot_connect_is_free_after_a_while(two_places, monkeypatch):
    """Of a stream that never had a frame, no end is announced: four presses of Start behind a firewall would take all
    places for good."""
    frame = av.VideoFrame.from_ndarray(np.zeros((120, 160, 3), dtype=np.uint8), format="bgr24")
    two_places[0].recv(frame)
    assert not newcomer_gets_in()
    monkeypatch.setattr("emotion.streams.webcam._FIRST_FRAME_SECONDS", 0.0)
    assert newcomer_gets_in()
    two_places[1].recv(frame)
    assert not newcomer_gets_in(), "who has a video keeps the place"


@pytest.mark.hostile("nothing; the place is free again")
def test_the_place_of_one_whose_tab_was_closed_is_free_after_seconds(two_places, monkeypatch):
    """Nobody tells the server for half a minute: four reloads of the page would lock everyone out so long."""
    for video in two_places:
        video.recv(av.VideoFrame.from_ndarray(np.zeros((120, 160, 3), dtype=np.uint8), format="bgr24"))
    assert server.is_full()
    monkeypatch.setattr("emotion.streams.webcam._PLACE_SECONDS", 0.0)
    assert newcomer_gets_in()


def test_ones_own_session_is_not_in_ones_way(two_places):
    assert not server.is_full(two_places[0])


@pytest.mark.parametrize("number", ["", "0", "-1", "two", "1.5", "1e3"])
@pytest.mark.hostile("EMOTION_SESSIONS must be a number from 1 on")
def test_a_wrong_number_of_places_is_told(monkeypatch, number):
    monkeypatch.setenv("EMOTION_SESSIONS", number)
    with pytest.raises(ValueError, match="EMOTION_SESSIONS must be a number from 1 on"):
        server.most_sessions()


@pytest.mark.hostile("The server is busy fetching for others: try again in a minute")
def test_fetches_beyond_the_limit_are_asked_to_come_back(monkeypatch):
    waited: list[float] = []
    acquire = server._fetching.acquire

    def acquire_at_once(timeout: float) -> bool:
        waited.append(timeout)
        return acquire(timeout=0)

    monkeypatch.setattr(server._fetching, "acquire", acquire_at_once)
    turns = [server.turn_to_fetch(9.0) for _ in range(server.MOST_FETCHES)]
    for turn in turns:
        turn.__enter__()
    with pytest.raises(FetchError, match="busy fetching for others"), server.turn_to_fetch(9.0):
        pass
    for turn in turns:
        turn.__exit__(None, None, None)
    with server.turn_to_fetch(99.0):
        pass
    assert set(waited) == {9.0, server.WAIT_SECONDS}, "no longer than the visitor has, and than a turn may take"
