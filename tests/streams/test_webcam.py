"""The webcam's processor, with recognizers that do what a test says; waiting is on events, never on the clock."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import av
import numpy as np
import pytest

from emotion.errors import DetectorError
from emotion.faces.crop import FaceVector
from emotion.faces.detect import Box, Detection, square_around
from emotion.faces.fitness import Fitness
from emotion.faces.pixels import BGRImage
from emotion.streams.passing import frame_of, picture_of
from emotion.streams.watch import VideoSettings
from emotion.streams.webcam import NOT_A_FEELING, FaceVideo, Snapshot, State
from emotion.vote.recognizer import FaceEmotion
from emotion.vote.voting import Vote

LIMIT_SECONDS = 20.0
"""Only ever waited for by a test that fails."""

HAPPY = Vote("Happy", ("Happy",) * 5, {"Happy": 1.0}, tie=False, uncertain=False)
FIT = Fitness(score=0.9, side=40, tilt=0.0, turn=0.0, sharpness=0.8, brightness=120.0)
FACE = FaceEmotion(Box(20, 30, 40, 40), HAPPY, np.zeros(2304, dtype=np.uint8), FIT)


class ScriptedRecognizer:
    """Answers each call by the next of its answers, and by the last of them ever after; an exception is raised.

    Each call waits at `gate`, which is open unless a test closes it.
    """

    def __init__(self, *answers: list[FaceEmotion] | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[BGRImage] = []
        self.entered = threading.Semaphore(0)
        self.faces: list[FaceEmotion] = []
        self.gate = threading.Event()
        self.gate.set()

    def find(self, image_bgr: BGRImage) -> list[tuple[Detection, FaceVector]]:
        self.seen.append(image_bgr)
        self.entered.release()
        assert self.gate.wait(LIMIT_SECONDS)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        self.faces = answer
        return [(Detection(face.box, square_around(face.box)), face.vector) for face in answer]

    def find_near(self, image_bgr: BGRImage, box: Box) -> Box | None:
        assert image_bgr.ndim == 3
        return box

    def why_no_face(self, image_bgr: BGRImage) -> str:
        return "It is too dark."

    def vote(self, found: Sequence[tuple[Detection, FaceVector]]) -> list[FaceEmotion]:
        assert [face.box for face, _ in found] == [face.box for face in self.faces]
        return self.faces


@pytest.fixture
def start() -> Iterator[Callable[..., FaceVideo]]:
    """Make processors, and end those that the test has not."""
    made: list[FaceVideo] = []

    def make(recognizer: ScriptedRecognizer, interval_seconds: float = 0.0) -> FaceVideo:
        made.append(FaceVideo(recognizer, 0.5, VideoSettings(interval_seconds)))
        return made[-1]

    yield make
    for video in made:
        video.on_ended()
    wait_for_workers()


def wait_for_workers() -> None:
    for thread in threading.enumerate():
        if thread.name == "emotion-video-worker":
            thread.join(LIMIT_SECONDS)
            assert not thread.is_alive(), "the worker outlived its stream"


def frame(grey: int = 128) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((120, 160, 3), grey, dtype=np.uint8), format="bgr24")


@pytest.mark.parametrize("size", [(480, 640), (121, 161)], ids=["as browsers send it", "odd sides"])
def test_colours_stay_on_the_way_through_a_frame(size: tuple[int, int]) -> None:
    """A box is blue, and a face has its own colours."""
    picture = np.zeros((*size, 3), np.uint8)
    picture[:, : size[1] // 2], picture[:, size[1] // 2 :] = (200, 60, 40), (40, 80, 220)
    sent = av.VideoFrame.from_ndarray(picture, format="bgr24")
    if size[0] % 2 == 0:
        sent = sent.reformat(format="yuv420p")
    seen = picture_of(sent)
    received = frame_of(seen, like=sent)
    assert (received.width, received.height, received.format.name) == (sent.width, sent.height, sent.format.name)
    for shown in (seen, received.to_ndarray(format="bgr24")):
        assert np.abs(shown[10, 10].astype(int) - (200, 60, 40)).max() < 8
        assert np.abs(shown[-10, -10].astype(int) - (40, 80, 220)).max() < 8


def vote_on_a_frame(video: FaceVideo) -> Snapshot:
    """Send one frame, and wait until the worker, if it is not in a pause, has come to a result."""
    before = video.searches
    video.recv(frame())
    pause = threading.Event()
    for _ in range(round(LIMIT_SECONDS / 0.005)):
        if video.searches > before:
            return video.snapshot
        pause.wait(0.005)
    raise AssertionError(f"the stream made {before} searches")


def is_drawn_on(sent: av.VideoFrame, received: av.VideoFrame) -> bool:
    return not np.array_equal(sent.to_ndarray(format="bgr24"), received.to_ndarray(format="bgr24"))


def test_first_frame_is_voted_on_at_once_and_its_faces_are_drawn(start):
    video = start(ScriptedRecognizer([FACE]), interval_seconds=3600.0)
    assert video.snapshot.state is State.WAITING
    snapshot = vote_on_a_frame(video)
    assert (snapshot.state, [face.vote for face in snapshot.faces], snapshot.votes) == (State.FACES, [FACE.vote], 1)
    drawn = video.recv(frame()).to_ndarray(format="bgr24")
    blue, green, red = drawn[50, 20].astype(int)  # on the left edge of the box, which has the colour of the first class
    assert red - blue > 100
    assert red > green


def test_where_no_face_is_for_some_seconds_the_reason_is_said_until_one_comes(start, monkeypatch):
    """Else who sits in the dark is told "No face", and nothing else."""
    video = start(ScriptedRecognizer([], [], [], [FACE]))
    assert vote_on_a_frame(video).why == ""
    monkeypatch.setattr("emotion.streams.watch._PATIENCE_SECONDS", 0.0)
    assert vote_on_a_frame(video).why == "It is too dark."
    assert vote_on_a_frame(video).why == "It is too dark."
    assert vote_on_a_frame(video).why == ""


def test_a_slow_vote_does_not_hold_up_the_video(start):
    recognizer = ScriptedRecognizer([FACE])
    recognizer.gate.clear()
    video = start(recognizer)
    video.recv(frame())
    assert recognizer.entered.acquire(timeout=LIMIT_SECONDS)
    # The worker is in the middle of a vote and stays there; frames go on, with what is known drawn on them.
    for _ in range(100):
        assert is_drawn_on(frame(), video.recv(frame()))
    assert len(recognizer.seen) == 1
    assert video.snapshot.state is State.WAITING
    recognizer.gate.set()


def test_a_vote_is_taken_of_the_newest_frame_not_of_those_that_piled_up(start):
    recognizer = ScriptedRecognizer([])
    recognizer.gate.clear()
    video = start(recognizer)
    video.recv(frame(0))
    assert recognizer.entered.acquire(timeout=LIMIT_SECONDS)
    for grey in (50, 100, 150, 200):
        video.recv(frame(grey))
    recognizer.gate.set()
    assert recognizer.entered.acquire(timeout=LIMIT_SECONDS)
    assert [int(image[0, 0, 0]) for image in recognizer.seen] == [0, 200]


def test_no_face_and_a_fault_are_told_apart_and_the_stream_recovers(start):
    video = start(ScriptedRecognizer([], DetectorError("The face detector's file is missing."), [FACE]))
    snapshots = [vote_on_a_frame(video) for _ in range(3)]
    assert [s.state for s in snapshots] == [State.NO_FACE, State.FAULT, State.FACES]
    assert [s.votes for s in snapshots] == [1, 1, 2]


def test_a_failed_vote_stays_in_view_until_one_succeeds(start):
    """The searches between votes succeed; they would hide the fault, and the failed vote would look fresh."""
    recognizer = ScriptedRecognizer([FACE])
    video = start(recognizer)
    assert vote_on_a_frame(video).state is State.FACES
    working, recognizer.vote = recognizer.vote, lambda _: 1 / 0
    assert vote_on_a_frame(video).state is State.FAULT
    video.settings = VideoSettings(60.0)  # the next search takes no vote
    recognizer.vote = working
    assert vote_on_a_frame(video).state is State.FAULT
    video.settings = VideoSettings(0.0)
    assert vote_on_a_frame(video).state is State.FACES


@pytest.mark.hostile("Recognition failed, see the server's log")
def test_a_fault_in_recognition_reaches_the_log_once_and_leaves_the_video_running(start, caplog):
    video = start(ScriptedRecognizer(RuntimeError("model on fire")))
    with caplog.at_level(logging.ERROR, logger="emotion.streams.webcam"):
        for _ in range(5):
            vote_on_a_frame(video)
    assert is_drawn_on(frame(), video.recv(frame()))
    assert [record.exc_info[0] for record in caplog.records] == [RuntimeError]


@pytest.mark.hostile("Recognition failed, see the server's log")
def test_a_frame_that_cannot_be_drawn_on_passes_as_it_is(start, monkeypatch, caplog):
    def broken(*_: object) -> BGRImage:
        raise ValueError("no font")

    monkeypatch.setattr("emotion.streams.webcam.draw_notice", broken)
    recognizer = ScriptedRecognizer([FACE])
    recognizer.gate.clear()
    video = start(recognizer)
    with caplog.at_level(logging.ERROR, logger="emotion.streams.webcam"):
        for _ in range(30):
            sent = frame()
            assert video.recv(sent) is sent
    assert video.snapshot.state is State.FAULT
    assert len(caplog.records) == 1, "thirty faults a second must not become thirty reports a second"
    recognizer.gate.set()


@pytest.mark.hostile("the boxes")
def test_frames_of_other_sizes_and_pixel_formats_are_annotated(start):
    video = start(ScriptedRecognizer([FACE]))
    for width, height in ((64, 48), (321, 243), (640, 480)):
        sent = av.VideoFrame.from_ndarray(np.full((height, width), 90, dtype=np.uint8), format="gray")
        received = video.recv(sent.reformat(format="yuv420p"))
        assert (received.width, received.height) == (width, height)
        assert is_drawn_on(sent.reformat(format="bgr24"), received)


@pytest.mark.parametrize(("sent", "seen"), [((1280, 720), (960, 540)), ((2160, 3840), (540, 960))])
@pytest.mark.hostile("the boxes, on a smaller picture")
def test_frames_that_are_larger_than_asked_for_are_reduced(start, sent, seen):
    """Browsers give what they like; a camera of 4K would cost eight times as much, in turn of other visitors."""
    recognizer = ScriptedRecognizer([FACE])
    video = start(recognizer)
    width, height = sent
    grey = av.VideoFrame.from_ndarray(np.full((height, width), 90, dtype=np.uint8), format="gray")
    received = video.recv(grey.reformat(format="yuv420p"))
    assert (received.width, received.height) == seen
    assert recognizer.entered.acquire(timeout=LIMIT_SECONDS)
    assert recognizer.seen[0].shape == (*seen[::-1], 3)


def test_frames_that_stop_are_missed_within_seconds_and_welcome_again(start, monkeypatch):
    """Else the last vote stands beside a dead camera for ever."""
    video = start(ScriptedRecognizer([FACE]))
    assert vote_on_a_frame(video).state is State.FACES
    monkeypatch.setattr("emotion.streams.webcam._STALLED_SECONDS", 0.0)
    assert video.snapshot.state is State.STALLED
    monkeypatch.undo()
    assert video.snapshot.state is State.FACES
    monkeypatch.setattr("emotion.streams.webcam._STALLED_SECONDS", 0.0)
    video.on_ended()
    assert video.snapshot.state is not State.STALLED, "who has pressed Stop knows"


@pytest.mark.parametrize("interval_seconds", [0.0, 3600.0])
def test_the_end_of_the_stream_ends_the_worker(start, interval_seconds):
    recognizer = ScriptedRecognizer([FACE])
    video = start(recognizer, interval_seconds)
    vote_on_a_frame(video)
    video.on_ended()
    wait_for_workers()  # also when it was in the pause between two votes
    video.recv(frame())
    video.on_ended()
    wait_for_workers()
    assert len(recognizer.seen) == 1, "a frame that comes late must not start the work anew"


def test_a_stream_that_ends_before_its_first_frame_leaves_no_worker(start):
    video = start(ScriptedRecognizer([FACE]))
    video.on_ended()
    video.recv(frame())
    wait_for_workers()
    assert video.snapshot.state is State.WAITING


def test_the_pause_between_votes_is_kept(start):
    recognizer = ScriptedRecognizer([FACE])
    video = start(recognizer, interval_seconds=3600.0)
    vote_on_a_frame(video)
    for _ in range(50):
        video.recv(frame())
    video.on_ended()
    wait_for_workers()
    assert len(recognizer.seen) == 1


def test_the_visitor_sees_a_mirror(start):
    video = start(ScriptedRecognizer([]))
    picture = np.full((120, 160, 3), 100, dtype=np.uint8)
    picture[100:, :40] = 255
    received = video.recv(av.VideoFrame.from_ndarray(picture, format="bgr24")).to_ndarray(format="bgr24")
    assert received[110, 140, 0] > 240
    assert received[110, 20, 0] < 120


def test_a_photograph_is_as_the_camera_saw_it_and_says_when_and_what_it_is_not(start):
    """A mirrored one shows writing reversed, and one without its time cannot be told from others."""
    video = start(ScriptedRecognizer([FACE]), interval_seconds=3600.0)
    assert video.photograph(str) is None
    assert video.picture_bgr is None
    scene = np.full((120, 160, 3), 100, dtype=np.uint8)
    scene[100:, :40] = 255
    sent = av.VideoFrame.from_ndarray(scene, format="bgr24")
    vote_on_a_frame(video)
    video.recv(sent)
    asked: list[datetime] = []

    def said(at: datetime) -> str:
        asked.append(at)
        return "20:15:00"

    photograph = video.photograph(said)
    assert np.array_equal(photograph[110:120, :50], scene[110:120, :50]), "it is not mirrored"
    box = FACE.box
    changed = np.flatnonzero(photograph[60, :, 0] != 100)
    assert (changed.min(), changed.max()) == pytest.approx((160 - box.x - box.w, 160 - box.x), abs=4)
    assert photograph.shape[0] > 140
    assert datetime.now(UTC) - asked[0] < timedelta(seconds=60)
    other = video.photograph(lambda at: "20:15:01")
    assert np.array_equal(other[:120], photograph[:120])
    assert not np.array_equal(other, photograph)
    assert NOT_A_FEELING == "An expression is not a feeling."


def test_a_face_that_left_fades_and_does_not_count_where_somebody_else_is(start, monkeypatch):
    """Else "one of 2" stands beside one person, and a label on a bare wall."""
    other = replace(FACE, box=Box(100, 30, 40, 40))
    video = start(ScriptedRecognizer([FACE, other]), interval_seconds=3600.0)
    assert [face.number for face in vote_on_a_frame(video).faces] == [1, 2]

    def strength(picture: BGRImage, box: Box) -> float:
        around = picture[box.y - 4 : box.y + box.h + 4, box.x - 4 : box.x + box.w + 4].astype(float)
        return float(np.abs(around - 128).mean())

    def drawn() -> BGRImage:
        return video.recv(frame()).to_ndarray(format="bgr24")

    there = strength(drawn(), FACE.box)
    monkeypatch.setattr("emotion.faces.tracking.Track.is_fading", lambda track, now: track.number == 1)
    faded = drawn()
    assert 0 < strength(faded, FACE.box) < 0.7 * there
    assert strength(faded, other.box) > 0.7 * there
    assert [face.number for face in video.snapshot.faces] == [2]
    seen = video.photograph(str)[:120, ::-1]
    assert strength(seen, FACE.box) < 0.1 * there, "who has left is in no photograph"
    monkeypatch.setattr("emotion.faces.tracking.Track.is_fading", lambda track, now: True)
    assert [face.number for face in video.snapshot.faces] == [1, 2], "where nobody else is, the last ones stay"


def test_a_vote_that_takes_long_is_said_so_and_then_forgotten(start, monkeypatch):
    monkeypatch.setattr("emotion.streams.webcam._SLOW_SECONDS", 0.0)
    recognizer = ScriptedRecognizer([FACE])
    recognizer.gate.clear()
    video = start(recognizer, interval_seconds=3600.0)
    video.recv(frame())
    assert recognizer.entered.acquire(timeout=LIMIT_SECONDS)
    assert video.snapshot.state is State.SLOW
    recognizer.gate.set()
    video.on_ended()
    wait_for_workers()
    assert video.snapshot.state is State.FACES


def test_every_vote_is_in_the_record(start):
    video = start(ScriptedRecognizer([FACE], []))
    for _ in range(2):
        vote_on_a_frame(video)
    first, second = video.record.moments()
    assert [face.vote for face in first.faces] == [FACE.vote]
    assert second.faces == ()
    assert 0 <= first.seconds <= second.seconds


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.hostile("votes go on; the second time, Recognition failed")
def test_a_worker_that_dies_is_started_again_once_and_reported(start, caplog):
    class Dying(ScriptedRecognizer):
        def find(self, image_bgr: BGRImage) -> list[tuple[Detection, FaceVector]]:
            super().find(image_bgr)
            raise SystemExit  # no Exception, hence not survived

    recognizer = Dying([FACE])
    video = start(recognizer)
    with caplog.at_level(logging.ERROR, logger="emotion.streams.webcam"):
        for _ in range(2):
            video.recv(frame())
            wait_for_workers()
    assert "died and is started again" in caplog.text
    video.recv(frame())
    wait_for_workers()
    assert len(recognizer.seen) == 2, "what dies twice would die for ever"
    assert video.snapshot.state is State.FAULT


def test_a_session_without_a_place_is_told_so_and_costs_no_recognition(start):
    recognizer = ScriptedRecognizer([FACE])
    video = start(recognizer)
    video.turned_away = True
    assert is_drawn_on(frame(), video.recv(frame()))
    assert video.snapshot.state is State.BUSY
    assert not recognizer.seen
