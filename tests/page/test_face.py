"""The part "Your face" without a browser: examples from files and from a video, and who votes then."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from weakref import WeakSet
from xml.etree import ElementTree

import numpy as np
import pytest
import skimage.data
from streamlit.testing.v1 import AppTest

import emotion.page.server
from emotion import Ensemble, config, load_models
from emotion.page.elements import FAULT
from emotion.page.face.drawings import drawn_face, how_to_pose
from emotion.page.face.part import MOST_FILES, what_was_gained
from emotion.page.face.use import OUTDATED
from emotion.page.face.webcam import LABEL_KEY
from emotion.page.state import Visit
from emotion.page.webcam import BUSY
from emotion.streams.posing import FRAMES, Posing
from emotion.streams.webcam import Snapshot, State
from emotion.vote.person.trial import Mixed, Trial
from tests.page.test_web_app import FakeWebcam, headings, panel, png, problems, texts
from tests.page.whole import whole_page
from tests.streams.test_posing import Clock, found
from tests.tiny_models import CLASSES, write_tiny_models

FACE = """
from emotion import config, load_models
from emotion.page.face.part import show_face
from emotion.page.face.use import switch
from emotion.vote.sets import set_of
switch(set_of(config.MODELS))
show_face(load_models(config.MODELS))
"""

WITH_PICTURES = f"""{FACE}
from emotion.page.face.use import those_that_vote
from emotion.page.pictures import show_pictures
show_pictures(those_that_vote(load_models(config.MODELS)))
"""

OTHERS = ("Calm", "Glad", "Tired")


@pytest.fixture(autouse=True)
def webcam(tiny_models_served: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWebcam:
    """A camera that nobody has started, and models that find dark faces Angry, bright ones Sad."""
    webcam = FakeWebcam()
    for where in ("emotion.page.webcam", "emotion.page.face.webcam"):
        monkeypatch.setattr(f"{where}.browser_refusal", lambda: webcam.refusal)
    monkeypatch.setattr("emotion.page.webcam.webrtc_streamer", webcam)
    monkeypatch.setattr("emotion.page.camera.get_global_relay", lambda: webcam.relay)
    monkeypatch.setattr(emotion.page.server, "_videos", WeakSet())
    return webcam


@pytest.fixture
def part() -> AppTest:
    return AppTest.from_string(FACE, default_timeout=30).run()


def portrait(name: str, brightness: float) -> tuple[str, bytes, str]:
    """A picture file of one face."""
    return name, png((skimage.data.astronaut()[:256] * brightness).astype(np.uint8)), "image/png"


DARK = [portrait("dark.png", 0.5), portrait("darker.png", 0.45)]
BRIGHT = [portrait("bright.png", 1.0), portrait("brighter.png", 0.95)]


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def take(page: AppTest, label: str, *files: tuple[str, bytes, str]) -> AppTest:
    page.selectbox(key=LABEL_KEY).set_value(label).run()
    next(u for u in page.file_uploader if u.label == "Pictures of this expression").set_value(list(files))
    return press(page, "Take from files")


def learn(page: AppTest) -> AppTest:
    """Dark faces are thoughtful, bright ones bored: models that know nobody find neither."""
    for label in ("thoughtful", "bored"):
        page.text_input[0].set_value(label).run()
    take(page, "Thoughtful", *DARK)
    take(page, "Bored", *BRIGHT)
    return press(page, "Learn")


def visit_of(page: AppTest) -> Visit:
    state: Visit = page.session_state["visit"]
    return state


def test_the_part_says_that_nothing_is_stored_and_begins_with_the_models_expressions(part: AppTest) -> None:
    assert not part.exception
    assert "nothing is stored, and nothing is passed on" in part.markdown[0].value
    assert part.selectbox(key=LABEL_KEY).options == list(CLASSES)
    assert not part.toggle, "nothing is there to be switched"


def test_faces_of_files_are_learnt_tried_and_used_for_pictures_too() -> None:
    page = AppTest.from_string(WITH_PICTURES, default_timeout=30).run()
    learn(page)
    assert not page.exception
    assert "There are: Thoughtful 2, Bored 2." in texts(page)
    assert "Faces that were kept out of the learning: 2. Right before: 0. Right now: 2." in texts(page)
    press(page, "Use it")
    assert page.success[0].value.startswith("These models vote in the parts Webcam, Pictures and Films")
    next(u for u in page.file_uploader if u.label == "Or files").set_value([BRIGHT[0]])
    press(page, "Recognise")
    assert headings(page)[0] == "Bored"
    assert panel(page)["whose"].startswith("By shipped, for one person: Angry, Happy, Sad, Bored, Thoughtful.")
    page.toggle(key="for_my_face").set_value(False).run()
    assert headings(page)[0] in CLASSES
    assert panel(page)["whose"] == "By the shipped models."
    page.toggle(key="for_my_face").set_value(True).run()
    assert headings(page)[0] == "Bored"


def test_what_is_no_picture_of_one_fit_face_is_named_with_the_reason(part: AppTest, monkeypatch) -> None:
    both = np.concatenate([skimage.data.astronaut()[:256]] * 2, axis=1)
    take(
        part,
        "Happy",
        ("notes.txt", b"hello", "text/plain"),
        ("empty.png", png(np.full((200, 200, 3), 200, dtype=np.uint8)), "image/png"),
        ("two.png", png(both), "image/png"),
        portrait("fine.png", 1.0),
    )
    said = [text.value for text in part.text]
    assert "Happy: 1 of 4 pictures taken." in said
    assert "notes.txt was not taken: This is a text, not a picture: choose a picture file, such as JPEG or PNG." in said
    assert "two.png was not taken: several faces." in said
    assert any(text.startswith("empty.png was not taken: no face. ") for text in said)
    monkeypatch.setattr("emotion.page.face.part.face_to_learn", lambda *_: 1 / 0)
    take(part, "Happy", portrait("fine.png", 1.0))
    assert f"fine.png was not taken: {FAULT}" in texts(part)
    assert "There are: Happy 1." in texts(part)


def test_pressing_without_files_says_what_is_missing(part: AppTest) -> None:
    press(part, "Take from files")
    assert "There is nothing to take: choose pictures first." in texts(part)
    press(part, "Open")
    assert problems(part) == ["There is nothing to open: choose a file that Save wrote."]


def test_more_files_than_are_looked_at_are_counted(part: AppTest) -> None:
    take(part, "Happy", *[("notes.txt", b"hello", "text/plain")] * (MOST_FILES + 1))
    assert f"At most {MOST_FILES} pictures at a time; the first {MOST_FILES} were looked at." in texts(part)


def test_one_expression_alone_cannot_be_learnt(part: AppTest) -> None:
    take(part, "Sad", *DARK)
    press(part, "Learn")
    assert problems(part) == ["Two expressions at least are needed, with one face of each: add another one."]


def test_labels_of_ones_own_are_learnt_beside_the_models_expressions(part: AppTest) -> None:
    part.text_input[0].set_value("deep_in thought").run()
    assert part.selectbox(key=LABEL_KEY).value == "Deep In Thought"
    assert part.text_input[0].value == ""
    take(part, "Deep In Thought", *DARK)
    take(part, "Sad", *BRIGHT)
    press(part, "Learn")
    learnt = visit_of(part).face.learnt
    assert learnt is not None
    assert learnt.models.classes == (*CLASSES, "Deep In Thought")
    part.text_input[0].set_value("  ").run()
    assert len(part.selectbox(key=LABEL_KEY).options) == len(CLASSES) + 1


def test_faces_under_the_wrong_expression_are_discarded(part: AppTest) -> None:
    learn(part)
    part.selectbox(key=LABEL_KEY).set_value("Thoughtful").run()
    press(part, "Discard its faces")
    assert "There are: Bored 2." in texts(part)
    assert "Right before" not in texts(part), "what was learnt is of faces that are gone"


def test_a_file_that_was_saved_is_opened_and_gone_on_with(part: AppTest) -> None:
    learn(part)
    learnt = visit_of(part).face.learnt
    assert learnt is not None
    saved = learnt.examples.to_json().encode()
    other_day = AppTest.from_string(FACE, default_timeout=30).run()
    next(u for u in other_day.file_uploader if u.label == "A file of your face").set_value(
        ("my-face.json", saved, "application/json")
    )
    press(other_day, "Open")
    assert "There are: Thoughtful 2, Bored 2." in texts(other_day)
    assert "Right before: 0. Right now: 2." in texts(other_day)
    take(other_day, "Happy", portrait("middle.png", 0.75))
    assert "There are: Thoughtful 2, Bored 2, Happy 1." in texts(other_day)
    press(other_day, "Learn")
    assert "With one face alone, these were not tried: Happy." in texts(other_day)
    for label in ("Happy", "Bored"):
        other_day.selectbox(key=LABEL_KEY).set_value(label).run()
        press(other_day, "Discard its faces")
    press(other_day, "Learn")
    assert problems(other_day) == ["Two expressions at least are needed, with one face of each: add another one."]
    other_day.selectbox(key=LABEL_KEY).set_value("Thoughtful").run()
    press(other_day, "Discard its faces")
    assert visit_of(other_day).face.opened is None
    assert not other_day.exception


@pytest.mark.hostile("This is no file of a face, or it is damaged, or it fits other models; what was learnt stays")
def test_a_file_that_is_none_of_a_face_changes_nothing(part: AppTest) -> None:
    learn(part)
    learnt = visit_of(part).face.learnt
    assert learnt is not None
    wide = {number: np.repeat(values, 2, axis=1) for number, values in learnt.examples.components.items()}
    other = "This is no file of a face, as Save writes it: choose another file."
    for content, said in (
        (b"{}", other),
        (b"\xff\xfe", other),
        (replace(learnt.examples, components=wide).to_json().encode(), "The file of a face is damaged: make it anew."),
        (
            replace(learnt.examples, fits="others").to_json().encode(),
            "This file fits other models: choose those that it was made with, or make it anew.",
        ),
    ):
        next(u for u in part.file_uploader if u.label == "A file of your face").set_value(("my-face.json", content, ""))
        press(part, "Open")
        assert problems(part) == [said]
        assert not part.exception
    part.run()
    assert "There are: Thoughtful 2, Bored 2." in texts(part)
    assert "Right now: 2." in texts(part)


@pytest.mark.parametrize(
    ("trial", "said"),
    [
        (Trial(0, 0, 0, (), ("Happy", "Sad")), "There is one face of each expression, so none could be kept out"),
        (Trial(5, 3, 3, (Mixed("Sad", "Neutral", 3, 5),), ()), "Sad is still taken for Neutral in 3 of 5."),
        (Trial(5, 3, 2, (), ()), "That is no gain: take the expressions anew, and show them more clearly."),
    ],
)
def test_what_was_gained_is_said_in_sentences(trial: Trial, said: str) -> None:
    assert any(sentence.startswith(said) for sentence in what_was_gained(trial))


class Stream(SimpleNamespace):
    """Stands for a `StreamProcessor` whose camera runs."""


@pytest.fixture
def clock(part: AppTest, webcam: FakeWebcam) -> Clock:
    """A video in which somebody poses; its time is the test's."""
    clock = Clock()
    visit_of(part).face.posing = Posing(clock)
    webcam.playing = True
    webcam.stream = Stream(snapshot=Snapshot(State.FACES, (), 1, 0.0), picture_bgr=1, turned_away=False)
    part.run()
    return clock


def pose(part: AppTest, clock: Clock, frames: int = FRAMES) -> None:
    """Sit through the count-down, and through all seconds."""
    clock.now += 3.0
    for _ in range(frames):
        visit_of(part).face.posing.offer(found())
        clock.now += 0.3
    clock.now += 10.0


def test_ten_frames_are_taken_after_a_count_down_and_the_next_expression_follows(part: AppTest, clock: Clock) -> None:
    press(part, "Take ten frames")
    assert part.header[0].value == "3…"
    assert "Show Angry, and look at the camera." in texts(part)
    assert next(button for button in part.button if button.label == "Take ten frames").disabled
    clock.now += 3.0
    for seen in (found(), []):
        visit_of(part).face.posing.offer(seen)
        clock.now += 0.3
    part.run()
    assert "Angry: 1 of 10 frames." in texts(part)
    assert "Not taken: 1 no face" in texts(part)
    pose(part, clock)
    part.run()
    assert "Angry: 10 frames taken. Not taken: 1 no face." in texts(part)
    assert "There are: Angry 10." in texts(part)
    assert part.selectbox(key=LABEL_KEY).value == "Happy"


def test_repeat_takes_the_last_expression_anew_and_skip_goes_on_without(part: AppTest, clock: Clock) -> None:
    press(part, "Take ten frames")
    pose(part, clock, 4)
    part.run()
    assert "Angry: 4 frames taken." in texts(part)
    press(part, "Repeat")
    assert part.selectbox(key=LABEL_KEY).value == "Angry"
    pose(part, clock)
    part.run()
    assert "There are: Angry 10." in texts(part)
    press(part, "Take ten frames")
    press(part, "Skip")
    assert part.selectbox(key=LABEL_KEY).value == "Sad"
    pose(part, clock)
    part.run()
    assert "There are: Angry 10." in texts(part)
    press(part, "Skip")
    assert part.selectbox(key=LABEL_KEY).value == "Angry", "the first follows the last"


def test_a_pose_of_which_nothing_could_be_taken_says_why_and_stays(part: AppTest, clock: Clock) -> None:
    press(part, "Take ten frames")
    pose(part, clock, 0)
    part.run()
    assert "Angry: no frame was taken (no picture came from the camera). Press Repeat." in texts(part)
    assert part.selectbox(key=LABEL_KEY).value == "Angry"
    press(part, "Repeat")
    clock.now += 3.0
    visit_of(part).face.posing.offer([])
    clock.now += 10.0
    part.run()
    assert "Angry: no frame was taken (1 no face). Press Repeat." in texts(part)


def test_the_video_says_why_nobody_is_seen(part: AppTest, clock: Clock, webcam: FakeWebcam) -> None:
    assert webcam.stream is not None
    webcam.stream.snapshot = Snapshot(State.NO_FACE, (), 1, 0.0, why="It is too dark: more light would help.")
    part.run()
    assert part.info[0].value == "No face. It is too dark: more light would help."
    webcam.refusal = "denied"
    part.run()
    assert part.warning[0].value.startswith("The browser is not allowed to use the camera")


def test_without_a_camera_only_files_can_be_taken(part: AppTest, monkeypatch, webcam: FakeWebcam) -> None:
    assert next(button for button in part.button if button.label == "Take ten frames").disabled
    assert "or take pictures from files below" in part.info[0].value
    webcam.stream = Stream(turned_away=True, picture_bgr=None)
    part.run()
    assert part.info[0].value == BUSY
    assert "Take from files" in [button.label for button in part.button]
    webcam.stream = None
    press(part, "Try again")
    assert part.info[0].value != BUSY
    monkeypatch.setenv("EMOTION_STUN", "example.org")
    part.run()
    assert problems(part)[0].startswith("EMOTION_STUN must be")


def test_a_video_for_posing_has_a_place_and_ends_the_visitors_others(part: AppTest, webcam: FakeWebcam) -> None:
    first, second = (webcam.arguments["video_processor_factory"]() for _ in range(2))
    assert first.ended
    assert second.needs_place
    assert visit_of(part).face.stream is second
    second.on_ended()


def test_a_visitor_who_comes_from_the_webcams_part_is_not_in_the_way_of_oneself(
    part: AppTest, webcam: FakeWebcam, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a video that was left, the end is told seconds later: until then it seems to need the server's last place."""
    monkeypatch.setenv("EMOTION_SESSIONS", "1")
    left = webcam.arguments["video_processor_factory"]()
    visit = visit_of(part)
    visit.stream, visit.face.stream = left, None
    part.run()
    assert BUSY not in texts(part)
    posing = webcam.arguments["video_processor_factory"]()
    assert left.ended
    assert not posing.turned_away
    posing.on_ended()


@pytest.fixture
def page() -> AppTest:
    """The whole page, whose visitor's face was learnt and is used."""
    page = whole_page().run()
    face = visit_of(page).face
    X = np.repeat(np.array([10, 240], dtype=np.uint8)[:, None], 2304, axis=1)
    face.add("Sad", [X[0]])
    face.add("Angry", [X[1]])
    face.learn(load_models(config.MODELS))
    face.used = face.learnt
    page.session_state["for_my_face"] = True
    return page


def voting(webcam: FakeWebcam) -> Ensemble:
    stream = webcam.arguments["video_processor_factory"]()
    stream.on_ended()
    models: Ensemble = stream.models
    return models


def test_the_webcam_is_voted_on_by_models_that_learnt_the_face_until_they_are_switched_off(
    page: AppTest, webcam: FakeWebcam
) -> None:
    page.run()
    assert voting(webcam).is_personal
    page.toggle(key="for_my_face").set_value(False).run()
    assert not voting(webcam).is_personal


def test_a_session_that_began_before_keeps_its_models_and_says_so(page: AppTest, webcam: FakeWebcam) -> None:
    webcam.came_to(State.WAITING)
    page.run()
    told = (
        "This session goes on with the shipped models, as it began. To have shipped, for one person vote: press Stop, "
        "then Start."
    )
    assert told in texts(page)


def test_other_models_vote_without_what_was_learnt_and_the_page_says_so(
    page: AppTest, webcam: FakeWebcam, tmp_path: Path
) -> None:
    """Components of one set mean nothing to another."""
    write_tiny_models(tmp_path / "my-models", OTHERS)
    page.run()
    assert voting(webcam).is_personal
    page.selectbox[0].set_value("my-models").run()
    for _ in range(2):  # the page is drawn again as soon as the browser has told of its camera
        assert OUTDATED in texts(page)
        assert voting(webcam).classes == OTHERS
        page.run()
    assert not page.exception
    assert "for_my_face" not in [toggle.key for toggle in page.toggle]
    face = visit_of(page).face
    face.learn(load_models(tmp_path / "my-models"))  # the faces are still there
    page.run()
    assert OUTDATED not in texts(page)


def test_models_that_were_trained_anew_have_not_learnt_the_face(
    page: AppTest, webcam: FakeWebcam, tmp_path: Path
) -> None:
    write_tiny_models(tmp_path / "models", OTHERS)
    page.run()
    assert OUTDATED in texts(page)
    assert voting(webcam).classes == OTHERS


def test_what_is_meant_by_each_expression_is_drawn_and_said(part: AppTest) -> None:
    """Else everybody poses something else. Who cannot see the drawing hears what it is."""
    assert how_to_pose(CLASSES[0]) in texts(part)
    [image] = part.get("image")
    assert image.proto.imgs[0].alt == f"A drawn face: {CLASSES[0]}"
    for label in (*config.EMOTIONS, "Contempt"):
        drawing = ElementTree.fromstring(drawn_face(label))
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
        assert how_to_pose(label).endswith(".")
    assert len({drawn_face(label) for label in config.EMOTIONS}) == len(config.EMOTIONS)
    assert drawn_face("Thinking") == how_to_pose("Thinking") == ""
    part.text_input[0].set_value("thinking").run()
    assert not part.get("image"), "nobody knows how that looks, and there is no empty space"
