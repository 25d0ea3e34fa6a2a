"""The sessions of a visit are kept when another one begins, or the part is left, and can be compared."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from emotion.page.camera import LEFT, NO_PICTURES, STOPPED, StreamProcessor
from emotion.page.sessions.kept import MOST_KEPT, Recorded, keeping
from emotion.page.state import Visit
from emotion.streams.record import MOST_VOTES, Moment, SessionRecord
from emotion.streams.session.saved import SavedSession, save_session
from emotion.streams.webcam import State
from tests.streams.session.made import moments, session

LIST = "from emotion.page.sessions.earlier import show_sessions\nshow_sessions()"


@pytest.fixture
def page() -> Iterator[AppTest]:
    """The list alone, open."""
    app = AppTest.from_string(LIST, default_timeout=30)
    app.session_state["visit"] = Visit(told=True)
    app.session_state["sessions"] = True
    yield app
    st.cache_resource.clear()


def recorded(of: SavedSession | None = None, why: str = STOPPED) -> Recorded:
    return Recorded(of or session("Happy", "Sad"), why, SessionRecord())


def two_faces() -> SavedSession:
    """Face 8 is there all the time, face 3 for a part of it."""
    seen = [
        replace(moment, faces=(*moment.faces, replace(moment.faces[0], number=8)) if i < 4 else moment.faces)
        for i, moment in enumerate(moments(*["Happy", "Sad"] * 5))
    ]
    return replace(session(), moments=tuple(seen), marks=(), pauses=())


def test_the_newest_five_are_kept_and_one_without_a_face_is_not() -> None:
    kept: tuple[Recorded, ...] = ()
    made = [recorded() for _ in range(MOST_KEPT + 2)]
    for one in made:
        kept = keeping(one, kept)
    assert kept == tuple(made[:1:-1])
    assert keeping(recorded(session(None, None)), kept) == kept


def test_a_session_that_is_kept_already_takes_its_own_place() -> None:
    """The last vote of a session may come after it was kept."""
    first, other = recorded(), recorded()
    kept = keeping(first, keeping(other, ()))
    assert keeping(replace(first), kept)[0] is first, "what was found in it was found for nothing"
    longer = replace(first, session=session("Happy", "Sad", "Sad"))
    assert keeping(longer, kept) == (longer, other)


def test_the_oldest_go_where_there_are_too_many_votes_but_never_the_newest() -> None:
    """A visit of many hours would fill the memory."""
    half = session(*["Happy"] * (MOST_VOTES // 2))
    first, second, third = (recorded(half) for _ in range(3))
    assert keeping(third, keeping(second, keeping(first, ()))) == (third, second)
    large = recorded(session(*["Happy"] * (MOST_VOTES + 1)))
    assert keeping(large, (third, second)) == (large,)


def stream(*labels: str | None, why: str = STOPPED, ended: bool = True) -> SimpleNamespace:
    """A session, as far as a visit looks at it."""
    record = SessionRecord()
    for moment in moments(*labels):
        record.add(moment)
    models = SimpleNamespace(
        classes=("Happy", "Sad", "Neutral"), model_names=("a", "b", "c"), origin=("mine", "f"), is_personal=False
    )
    settings = SimpleNamespace(interval_seconds=2.0, smoothing_seconds=1.5, show_smoothed=False)
    return SimpleNamespace(ended=ended, why_ended=why, record=record, models=models, settings=settings)


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emotion.page.sessions.kept.set_that_votes", lambda models: SimpleNamespace(name="mine"))


def keep(state: Visit, of: SimpleNamespace) -> None:
    state.stream = of  # type: ignore[assignment]
    state.keep()


def test_a_visit_keeps_its_sessions_one_after_another() -> None:
    state = Visit()
    state.keep()
    keep(state, stream("Happy", "Sad"))
    keep(state, stream("Sad", ended=False))
    keep(state, stream("Neutral", "Sad", "Sad", why=LEFT))
    state.keep()
    assert [(len(one.session.moments), one.why) for one in state.sessions] == [(3, LEFT), (2, STOPPED)]


def test_a_session_says_why_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended_in(state: State, *whys: str) -> str:
        processor = StreamProcessor.__new__(StreamProcessor)
        processor.why_ended, processor._mailbox = "", SimpleNamespace(closed=False)  # type: ignore[assignment]
        processor._mailbox.close = lambda: setattr(processor._mailbox, "closed", True)  # type: ignore[method-assign]
        monkeypatch.setattr(StreamProcessor, "snapshot", SimpleNamespace(state=state))
        for why in whys:
            processor.on_ended(why)
        return processor.why_ended

    assert ended_in(State.FACES, "") == STOPPED
    assert ended_in(State.STALLED, "") == NO_PICTURES
    assert ended_in(State.FACES, LEFT, "") == LEFT
    assert ended_in(State.FACES, "", LEFT) == LEFT, "the connection may end before the server hears of the rest"
    assert ended_in(State.STALLED, "", LEFT) == NO_PICTURES


@pytest.mark.parametrize(("playing", "whys"), [(True, [LEFT]), (False, [""])])
def test_leaving_the_part_is_a_reason_only_where_the_video_ran(playing: bool, whys: list[str]) -> None:
    """Who has pressed Stop before has not ended the session by leaving."""
    told: list[str] = []
    state = Visit(stream=SimpleNamespace(on_ended=told.append), playing=playing)  # type: ignore[arg-type]
    state.leave_webcam()
    assert (told, state.playing) == (whys, False)


def texts(page: AppTest) -> list[str]:
    return [text.value for text in page.text]


def buttons(page: AppTest) -> list[str]:
    return [button.label for button in page.get("download_button")]


def test_each_session_is_listed_with_its_files(page: AppTest) -> None:
    page.session_state["visit"].sessions = (recorded(why=LEFT), recorded(two_faces()))
    page.run()
    assert not page.exception
    assert texts(page) == [
        "Session 03:04:05: 4.0 s, 1 face, 2 marks. Ended because you left this part.",
        "Session 03:04:05: 20.0 s, 2 faces. Stopped.",
    ]
    assert buttons(page) == ["Session as CSV", "Save", "Report"] * 2 + ["Comparison"]


def test_nothing_is_looked_into_as_long_as_the_list_is_closed(page: AppTest) -> None:
    """A session of an hour takes a moment, at each drawing of the page."""
    one = recorded()
    page.session_state["visit"].sessions = (one,)
    page.session_state["sessions"] = False
    page.run()
    assert "contents" not in vars(one)
    assert not texts(page)


def test_a_session_and_each_face_of_another_can_be_compared(page: AppTest) -> None:
    page.session_state["visit"].sessions = (recorded(), recorded(two_faces()))
    page.run()
    one, other = page.selectbox
    assert one.options == ["Session 03:04:05", "Session 03:04:05, face 3", "Session 03:04:05, face 8"]
    assert other.options == one.options[1:]
    other.set_value("Session 03:04:05, face 8").run()
    page.selectbox[0].set_value("Session 03:04:05, face 3").run()
    assert [box.value for box in page.selectbox] == ["Session 03:04:05, face 3", "Session 03:04:05, face 8"]
    page.selectbox[0].set_value("Session 03:04:05, face 8").run()
    assert page.selectbox[1].value == "Session 03:04:05", "a face is not compared with itself"
    assert not page.exception
    assert buttons(page)[-1] == "Comparison"


def test_one_face_alone_is_not_offered_for_comparison(page: AppTest) -> None:
    page.session_state["visit"].sessions = (recorded(),)
    page.run()
    assert not page.selectbox


@pytest.mark.hostile("The two sessions have other expressions, so they cannot be compared")
def test_sessions_of_other_expressions_are_told_before_the_download(page: AppTest) -> None:
    other = replace(session("Happy", "Sad"), classes=("Happy", "Sad", "Calm"))
    page.session_state["visit"].sessions = (recorded(), recorded(other))
    page.run()
    assert page.selectbox[1].value == "Session 03:04:05 (2)"
    assert "Comparison" not in buttons(page)
    assert "The two sessions have other expressions, so they cannot be compared: choose another one." in str(
        page.get("html")[-1].proto.body
    )


def test_a_saved_session_is_opened_once_beside_a_file_that_is_none(page: AppTest, monkeypatch) -> None:
    page.run()
    saved = save_session(replace(session("Happy", "Sad"), moments=tuple(moments("Happy", "Sad"))))
    zipped = ("monday.zip", saved, "application/zip")
    page.file_uploader[0].set_value([zipped, ("notes.zip", b"notes", "application/zip")]).run()
    assert not page.exception
    assert texts(page) == ["monday.zip: 4.0 s, 1 face, 2 marks, by mine."]
    [problem] = [element.proto.body for element in page.get("html")]
    assert "notes.zip: This is" in problem
    monkeypatch.setattr("emotion.page.sessions.earlier.open_session", lambda content: pytest.fail("opened again"))
    page.run()
    assert texts(page) == ["monday.zip: 4.0 s, 1 face, 2 marks, by mine."]
    page.file_uploader[0].set_value([zipped, zipped, zipped])
    monkeypatch.undo()
    page.run()
    assert "Only the first two files are opened: take one of them away to open another." in page.info[0].value
    assert page.selectbox[0].options == ["monday.zip", "monday.zip (2)"]


def test_a_moment_counts_as_a_vote_also_where_nobody_was_seen() -> None:
    """As in the table, where it is a row."""
    nobody = tuple(Moment(float(i), None, ()) for i in range(MOST_VOTES))
    kept = keeping(recorded(), (recorded(replace(session("Happy"), moments=nobody)),))
    assert len(kept) == 1
