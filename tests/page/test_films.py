"""The part "Films" without a browser: what may be asked for, how it ends, and what is told and taken home of it."""

import csv
import io
import logging
import re
import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakSet

import cv2
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import emotion.page.films.asking
import emotion.page.films.running
import emotion.page.server
from emotion import config, load_models
from emotion.errors import FetchError
from emotion.faces.decode import decode_image
from emotion.faces.detect import Box
from emotion.faces.fetch import LOOPBACK_SWITCH
from emotion.faces.fitness import BLACK
from emotion.page.elements import FAULT
from emotion.page.films.asking import Asked, fetch_film, name_of, piece_of, seconds_of, temporary_file
from emotion.page.films.part import BUSY
from emotion.page.films.results import MOST_TIMELINES, film_csv, film_report
from emotion.page.films.running import FilmRun, Stage
from emotion.page.films.timeline import MOST_COLUMNS, MOST_STRETCHES, stretches, timeline_data
from emotion.page.state import Visit
from emotion.streams.films.watching import Choice, FilmWatch
from emotion.streams.record import FaceRecord, Moment
from emotion.vote.voting import LOW_PROBABILITY, Vote
from tests.films import film
from tests.loopback import http_answer, serving
from tests.page.test_web_app import headings, problems, texts
from tests.tiny_models import CLASSES, write_tiny_models

FILMS = """
from emotion import config, load_models
from emotion.page.films.part import show_films
show_films(load_models(config.MODELS))
"""


@pytest.fixture(autouse=True)
def server(tiny_models_served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on which nobody else is, and models that find dark faces Angry, bright ones Sad."""
    monkeypatch.setattr(emotion.page.server, "_videos", WeakSet())


@pytest.fixture
def part() -> AppTest:
    return AppTest.from_string(FILMS, default_timeout=30).run()


@cache
def portrait(name: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    picture = decode_image((config.EXAMPLES / f"{name}.jpg").read_bytes())
    return np.asarray(cv2.resize(picture, (256, 320), interpolation=cv2.INTER_AREA), dtype=np.uint8)


@cache
def two_people() -> bytes:
    """One face for a second, then another one."""
    return film([portrait("Grace-Hopper")] * 10 + [portrait("Eileen-Collins")] * 10, rate=10)


@cache
def nobody(brightness: int = 120) -> bytes:
    return film([np.full((64, 64, 3), brightness, np.uint8)] * 5, rate=10)


def ask_for(page: AppTest, content: bytes | None = None, *, name: str = "interview.mp4", **fields: str) -> AppTest:
    if content is not None:
        page.file_uploader[0].set_value((name, content, "video/mp4"))
    for field in page.text_input:
        field.set_value(fields.get({"From": "start", "To": "end"}.get(field.label, "address"), ""))
    return next(button for button in page.button if button.label == "Recognise").click().run()


def visit_of(page: AppTest) -> Visit:
    state: Visit = page.session_state["visit"]
    return state


def run_of(page: AppTest) -> FilmRun:
    run = visit_of(page).film
    assert run is not None
    return run


def looked_at(page: AppTest, content: bytes | None = None, **fields: str) -> AppTest:
    """Ask for a film, and wait until all is done."""
    ask_for(page, content, **fields)
    assert not page.exception
    run_of(page)._thread.join()
    return page.run()


def rows_of(run: FilmRun) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(film_csv(run))))


def new_run(
    content: bytes, is_watched: Callable[[], bool] = lambda: True, *, every: float = 0.2, end: float = 60.0
) -> FilmRun:
    asked = Asked("f.mp4", partial(io.BytesIO, content), lambda _: None, Choice(every, 0.0, end), end)
    return FilmRun(asked, load_models(config.MODELS), is_watched)


def done(run: FilmRun) -> FilmRun:
    run.start()
    run._thread.join()
    return run


def test_limits_and_duties_are_said_before_anything_is_chosen(part: AppTest) -> None:
    [said] = [caption.value for caption in part.caption]
    assert f"a file of at most {st.get_option('server.maxUploadSize')} MB, or 200 MB behind an address" in said
    assert "At most 30 minutes" in said
    assert "Tell the people in it that their expressions are read." in said


def test_each_face_of_a_film_has_a_timeline_and_a_sum_and_its_rows(part: AppTest) -> None:
    looked_at(part, two_people())
    assert headings(part) == ["interview.mp4", "Face 1", "Face 2"]
    assert texts(part).count("Seen for 1.0 s: ") == 2
    assert len(part.get("vega_lite_chart")) == 2
    assert [chart.proto.alt.split(".")[0] for chart in part.get("vega_lite_chart")] == [
        "Timeline of face 1",
        "Timeline of face 2",
    ]
    [video] = part.get("video")
    assert video.proto.alt == "The film, with a box and the vote on each face"
    run = run_of(part)
    rows = rows_of(run)
    assert [row["seconds"] for row in rows] == [f"{n / 5:.3f}" for n in range(10)]
    assert [row["frame"] for row in rows] == [str(2 * n) for n in range(10)]
    assert [row["face"] for row in rows] == ["1"] * 5 + ["2"] * 5
    assert {(row["film"], row["models"]) for row in rows} == {("interview.mp4", "shipped")}
    assert all(0 <= int(row["x"]) < int(row["x"]) + int(row["width"]) <= 256 for row in rows)
    assert {row["smoothed_label"] for row in rows} <= set(CLASSES)
    report = film_report(run)
    assert "interview.mp4" in report
    assert "Face 2" in report
    assert [button.proto.label for button in part.get("download_button")] == [
        "Votes as CSV",
        "Report",
        "Annotated film",
    ]


def test_a_piece_of_a_film_keeps_the_times_of_the_film(part: AppTest) -> None:
    looked_at(part, two_people(), start="0:01", end="1.6")
    assert [row["seconds"] for row in rows_of(run_of(part))] == ["1.000", "1.200", "1.400", "1.600"]
    assert "0:00 here is 0:01 in the film." in texts(part)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"start": "soon"}, "The start is no time: write it as minutes and seconds, as in 1:30."),
        ({"end": "-3"}, "The end is no time: write it as minutes and seconds, as in 1:30."),
        (
            {"start": "1:00", "end": "0:30"},
            "The end comes before the start: choose a later one, or leave it empty for the end of the film.",
        ),
    ],
)
def test_times_that_cannot_be_meant_are_told(part: AppTest, fields: dict[str, str], told: str) -> None:
    ask_for(part, nobody(), **fields)
    assert problems(part) == [told]
    assert visit_of(part).film is None


def test_where_nothing_is_chosen_that_is_said(part: AppTest) -> None:
    ask_for(part)
    [told] = problems(part)
    assert told == "There is nothing to look at: choose a film of at most 200 MB, or give an address."


def test_of_a_file_and_an_address_neither_is_passed_over(part: AppTest) -> None:
    """Else who pastes an address where an earlier file still stands would see that film again."""
    ask_for(part, nobody(), address="https://example.org/film.mp4")
    assert problems(part) == ["There are a file and an address: take one of them away."]


def test_what_is_pasted_and_no_address_is_told(part: AppTest) -> None:
    ask_for(part, address="C:\\films\\interview.mp4")
    [told] = problems(part)
    assert "is a file of your computer" in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The file is empty: make or download it anew."),
        (b"%PDF-1.7 and the rest", "This is a PDF document, not a film: use MP4, MOV, WebM, MKV, AVI or an animated"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n/etc/passwd", "This is a playlist of a film, which only names films"),
    ],
)
@pytest.mark.hostile("what the file is, and what to use")
def test_what_is_no_film_is_told(part: AppTest, content: bytes, told: str) -> None:
    looked_at(part, content)
    assert problems(part)[0].startswith(told)
    assert not part.get("download_button")


def test_a_film_without_a_face_says_so_and_why(part: AppTest) -> None:
    looked_at(part, nobody())
    assert part.warning[0].value.startswith("No face was found in the film. Faces that are turned away")
    assert not part.get("video"), "there is nothing to be drawn into it"
    assert [row["face"] for row in rows_of(run_of(part))] == ["", "", ""]


def test_a_black_film_is_told(part: AppTest) -> None:
    looked_at(part, nobody(0))
    assert part.warning[0].value == f"No face was found in the film. {BLACK}"


def test_a_start_behind_the_end_of_the_film_is_told(part: AppTest) -> None:
    looked_at(part, nobody(), start="1:00")
    assert problems(part) == [
        "The film is 0:00.5 long, so nothing comes after the start that was chosen: choose an earlier one."
    ]


def test_a_fault_is_logged_and_never_told_as_no_face(
    part: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(FilmWatch, "looks", fails)
    with caplog.at_level(logging.ERROR):
        looked_at(part, nobody())
    assert problems(part) == [FAULT]
    assert not part.warning
    assert "a fault of ours" in caplog.text


def test_a_film_that_was_cut_off_is_looked_at_as_far_as_it_goes_and_that_is_told(part: AppTest) -> None:
    content = film([portrait("Grace-Hopper")] * 30, form="matroska", rate=10, options={"g": "5"})
    looked_at(part, content[: 2 * len(content) // 3])
    assert "too early" in part.info[0].value
    assert rows_of(run_of(part))


@pytest.mark.hostile("All places of this server for films and webcams are taken. Try again in a minute.")
def test_a_full_server_says_so(part: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_SESSIONS", "1")
    other = new_run(nobody())
    assert emotion.page.server.take_place(other)
    ask_for(part, nobody())
    assert problems(part) == [BUSY]
    done(other)
    looked_at(part, nobody())
    assert not problems(part), "the place of a film that has ended is free"


def test_another_film_takes_the_place_of_the_one_before(part: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_SESSIONS", "1")
    may_go_on = threading.Event()

    def slow(_: BinaryIO) -> None:
        may_go_on.wait(60)

    monkeypatch.setattr("emotion.page.films.part._is_there", slow)
    ask_for(part, two_people())
    first = run_of(part)
    monkeypatch.setattr("emotion.page.films.part._is_there", lambda _: None)
    looked_at(part, nobody(), name="second.mp4")
    may_go_on.set()
    first._thread.join()
    assert headings(part)[0] == "second.mp4"
    assert not first.moments


def test_stop_keeps_what_was_found_and_writes_the_film_up_to_there() -> None:
    asked = 0

    def stop_at_the_sixth_frame() -> bool:
        nonlocal asked
        asked += 1
        if asked == 6:
            run.stop()
        return True

    run = new_run(
        film([portrait("Grace-Hopper")] * 300, rate=10, options={"preset": "ultrafast"}), stop_at_the_sixth_frame
    )
    done(run)
    assert 0 < len(run.moments) < 10
    assert run.notes[0].startswith("You stopped it: it was looked at up to 0:0")
    assert run.annotated
    assert not run.error


def test_a_film_whose_page_was_closed_ends_and_leaves_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emotion.page.films.running, "PATIENCE_SECONDS", 0.0)
    run = done(new_run(two_people(), lambda: False))
    assert not run.needs_place
    assert not run.annotated
    assert run._file.closed


def test_no_more_is_looked_at_than_is_allowed_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (emotion.page.films.asking, emotion.page.films.running):
        monkeypatch.setattr(module, "MOST_SECONDS", 1.0)
    choice, wished_end = piece_of("", "", 0.2)
    assert choice.end == 1.0
    asked = Asked(
        "f.mp4", partial(io.BytesIO, film([portrait("Grace-Hopper")] * 30, rate=10)), lambda _: None, choice, wished_end
    )
    run = done(FilmRun(asked, load_models(config.MODELS), lambda: True))
    assert run.moments[-1].seconds == 1.0
    assert run.notes == [
        "At most 0 minutes are looked at at one time: for what comes after 0:01, choose that as the start."
    ]


def test_votes_are_kept_up_to_a_number_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emotion.page.films.running, "MOST_VOTES", 3)
    run = done(new_run(film([portrait("Grace-Hopper")] * 300, rate=10, options={"preset": "ultrafast"})))
    assert 3 <= len(run.moments) < 20
    assert "as many as are kept" in run.notes[0]


def test_a_film_that_is_too_large_with_its_boxes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emotion.page.films.running, "MOST_ANNOTATED_BYTES", 0)
    noise = np.random.default_rng(0).integers(0, 255, (20, 320, 256, 3), dtype=np.uint8)
    noise[:] //= 4
    pictures = [np.maximum(portrait("Grace-Hopper"), one) for one in noise]
    run = done(new_run(film(pictures, rate=10)))
    assert not run.annotated
    assert "too much for the page: choose a shorter piece of it" in run.notes[-1]
    assert run.moments


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1:30", 90),
        ("01:30", 90),
        (" 1:02:03 ", 3723),
        ("1:30.5", 90.5),
        ("0,25", 0.25),
        ("100:00", 6000),
        ("٣:٣٠", 210),
    ],
)
def test_times_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "1:", ":30", "1h", "-1", "1:2:3:4", "1e3", "nan", "1 30", "9" * 400])
def test_other_texts_are_no_times(text: str) -> None:
    assert seconds_of(text) is None


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://example.org/films/an%20interview.mp4?x=1", "an interview.mp4"),
        ("https://example.org/", "example.org"),
        ("https://example.org/watch/", "watch"),
    ],
)
def test_a_film_from_an_address_is_called_as_its_file(address: str, name: str) -> None:
    assert name_of(address) == name


def test_a_film_behind_an_address_is_fetched(part: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOOPBACK_SWITCH, "1")
    with serving({"/people.mp4": http_answer(two_people())}) as answering:
        looked_at(part, address=f"http://127.0.0.1:{answering.server_address[1]}/people.mp4")
    assert headings(part) == ["people.mp4", "Face 1", "Face 2"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            http_answer(b"<!DOCTYPE html><title>A film to watch</title>"),
            "The address leads to a web page, not to a film: download the film where the page offers that, and choose "
            "the file.",
        ),
        (http_answer(status="403 Forbidden"), "save the film, and use the file"),
        (http_answer(b"", length=200_000_001), "The server sends too much: use a film of at most 200 MB."),
    ],
)
@pytest.mark.hostile("what is there in place of a film, or that it is larger than 200 MB")
def test_what_else_is_behind_an_address_is_told(monkeypatch: pytest.MonkeyPatch, answer: bytes, told: str) -> None:
    monkeypatch.setenv(LOOPBACK_SWITCH, "1")
    with serving({"/film": answer}) as answering, temporary_file() as file, pytest.raises(FetchError) as error:
        fetch_film(f"http://127.0.0.1:{answering.server_address[1]}/film", file)
    assert told in str(error.value)


def test_fetching_ends_at_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a film that nobody wants any more would be loaded to its end."""
    monkeypatch.setenv(LOOPBACK_SWITCH, "1")
    begun = threading.Event()

    def endless(connection: Any, stopping: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        begun.set()
        while not stopping.wait(0.01):
            connection.sendall(bytes(100_000))

    with serving({"/film": endless}) as answering:
        address = f"http://127.0.0.1:{answering.server_address[1]}/film"
        asked = Asked("film", temporary_file, partial(fetch_film, address), Choice(), 60.0)
        run = FilmRun(asked, load_models(config.MODELS), lambda: True)
        run.start()
        begun.wait(30)
        run.stop()
        run._thread.join(30)
        assert run.stage is Stage.DONE
    assert run.error == "The film was not fetched: you stopped it."


def vote(label: str, share: float = 0.8, why: str = "") -> Vote:
    shares = dict.fromkeys(CLASSES, (1 - share) / 2) | {label: share}
    return Vote(label, (label,) * 5, shares, False, bool(why), why)


def moments(*votes: Vote | None, every: float = 0.2) -> list[Moment]:
    return [
        Moment(n * every, None, () if one is None else (FaceRecord(1, one, one, Box(0, 0, 9, 9)),), n)
        for n, one in enumerate(votes)
    ]


def columns(data: dict[str, list[Any]], row: int = 0) -> list[tuple[float, float, str]]:
    picked = zip(data["since"], data["until"], data["expression"], data["row"], strict=True)
    return [(round(since, 3), round(until, 3), label) for since, until, label, at in picked if at == row]


def test_a_timeline_has_a_row_of_votes_and_one_for_each_expression() -> None:
    data = timeline_data(moments(vote("Happy"), None, vote("Sad", why=LOW_PROBABILITY)), 1, CLASSES, 0.2)
    assert columns(data) == [(0.0, 0.2, "Happy"), (0.4, 0.6, "Sad")], "where no face was seen, there is nothing"
    assert [label for _, _, label in columns(data, CLASSES.index("Happy") + 1)] == ["Happy", "Happy"]
    strengths = [s for s, row in zip(data["strength"], data["row"], strict=True) if row == 0]
    assert strengths[1] < strengths[0] == 1.0, "what is uncertain is pale"
    assert "Sad, uncertain (low probability)" in data["told"]


def test_a_long_film_is_thinned_to_what_can_be_seen() -> None:
    """An hour of five votes a second would stop the browser."""
    votes = [vote("Happy" if n % 10 else "Sad") for n in range(9000)]
    data = timeline_data(moments(*votes), 1, CLASSES, 0.2)
    strip = columns(data)
    assert MOST_COLUMNS / 2 < len(strip) <= MOST_COLUMNS + 1
    assert {label for _, _, label in strip} == {"Happy"}, "the vote that held longest"
    assert strip[0][0] == 0.0
    assert strip[-1][1] == 1800.0
    assert len(data["row"]) == len(strip) * (1 + len(CLASSES))


def test_a_face_that_was_away_is_not_drawn_meanwhile() -> None:
    votes = [vote("Happy")] * 20 + [None] * 8000 + [vote("Sad")] * 20
    strip = columns(timeline_data(moments(*votes), 1, CLASSES, 0.2))
    assert max(until - since for since, until, _ in strip) < 15


def test_changes_that_can_be_gone_to_are_those_of_the_label_and_of_who_returns() -> None:
    happy, doubtful, sad = vote("Happy"), vote("Happy", why=LOW_PROBABILITY), vote("Sad")
    found = stretches(moments(None, happy, doubtful, sad, None, sad, sad, happy, every=1.0), 1, 1.0)
    assert found == [(1.0, "Happy"), (3.0, "Sad"), (5.0, "Sad"), (7.0, "Happy")]


def test_of_very_many_changes_those_are_listed_that_lasted_longest() -> None:
    votes = [vote("Happy"), vote("Sad")] * 600 + [vote("Happy")] * 50
    found = stretches(moments(*votes, every=1.0), 1, 1.0)
    assert len(found) == MOST_STRETCHES
    assert found == sorted(found)
    assert (1200.0, "Happy") in found


def test_faces_beyond_those_seen_longest_are_told_by_number(part: AppTest) -> None:
    looked_at(part, two_people())
    run = run_of(part)
    people = range(1, MOST_TIMELINES + 3)
    run.moments[:] = [
        Moment(
            n / 5, None, tuple(FaceRecord(p, vote("Sad"), vote("Sad"), Box(0, 0, 9, 9)) for p in people if n < 20 - p)
        )
        for n in range(20)
    ]
    part.run()
    assert headings(part)[1:] == [f"Face {number}" for number in range(1, MOST_TIMELINES + 1)]
    assert f"Seen for less time, and only in the table: faces {MOST_TIMELINES + 1}, {MOST_TIMELINES + 2}." in texts(
        part
    )


def test_who_chooses_other_models_is_told_whose_votes_these_are(part: AppTest, tmp_path: Path) -> None:
    looked_at(part, two_people())
    run_of(part).models = load_models(write_tiny_models(tmp_path / "others"))
    part.run()
    assert re.search(
        r"These are votes of \S*others\. To have the shipped models vote: choose the film again\.", texts(part)
    )
