"""Files of sessions: what was saved comes back, and nothing else does."""

import contextlib
import io
import json
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from emotion.errors import EmotionError, SessionError
from emotion.streams.record import MOST_VOTES, Moment, summaries
from emotion.streams.session.cells import shielded, unshielded
from emotion.streams.session.marks import Pause, TimeMark
from emotion.streams.session.saved import MOST_FILE_BYTES, SavedSession, open_session, save_session
from tests.fuzz import mutated
from tests.streams.session.made import CLASSES, face, moments, random_session, session, vote

DAMAGED = "The saved session is damaged: use another copy of the file."
CUT_OFF = "The saved session was cut off or changed: use another copy of the file."
OTHER_FILES = "This ZIP file holds other files than a saved session does: choose the one that was saved."
TOO_MUCH = "The saved session holds more than a session can: use another copy of the file."
NEITHER = "This ZIP file is not a saved session: choose the one that was saved."


def parts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def packed(files: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


GOOD = parts(save_session(session("Happy", "Sad", None, "Neutral", "Happy")))
VOTES = GOOD["votes.csv"].split()


@pytest.mark.parametrize("seed", range(5))
def test_what_was_saved_comes_back_to_the_last_digit(seed: int) -> None:
    whole = random_session(random.Random(seed))
    again = open_session(save_session(whole))
    assert again == whole
    assert again.begun == whole.begun
    assert summaries(again.moments, smoothed=True) == summaries(whole.moments, smoothed=True)


@pytest.mark.parametrize("text", ["=1+1", "'=1", "''-x", "+", "it's", "'", "@home", 'a,b;"c"', "Zorn über 😠"])
def test_words_that_a_spreadsheet_would_run_come_back_as_they_were(text: str) -> None:
    assert unshielded(shielded(text)) == text
    whole = session("Happy")
    named = replace(
        whole,
        classes=(text, "Sad"),
        moments=(
            replace(
                whole.moments[0],
                faces=(
                    replace(
                        face("Sad"), vote=vote(text, classes=(text, "Sad")), smoothed=vote(text, classes=(text, "Sad"))
                    ),
                ),
            ),
        ),
        marks=(TimeMark(1.0, text),),
        model_names=(text, "b"),
    )
    content = save_session(named)
    assert open_session(content) == named
    assert not any(
        cell.startswith(("=", "+", "-", "@"))
        for line in parts(content)["votes.csv"].splitlines()
        for cell in line.split(",")
    )


def test_a_session_without_a_vote_and_a_film_can_be_saved() -> None:
    empty = replace(session(), marks=(), pauses=())
    assert open_session(save_session(empty)) == empty
    film = replace(empty, moments=tuple(Moment(0.2 * i, None, (face("Sad"),), 5 * i) for i in range(4)))
    again = open_session(save_session(film))
    assert again == film
    assert again.begun is None


def test_numbers_of_numpy_come_back() -> None:
    """As the models give them."""
    one = vote("Happy")
    one = replace(one, probabilities=dict(zip(CLASSES, map(float, np.float32([0.7, 0.2, 0.1])), strict=True)))
    whole = replace(session("Sad"), pauses=())
    whole = replace(whole, moments=(replace(whole.moments[0], faces=(replace(face("Sad"), vote=one),)),))
    assert open_session(save_session(whole)) == whole


def test_it_is_a_file_that_other_programs_open() -> None:
    """A ZIP file of two tables and a text; what a person needs to know stands in them."""
    assert set(GOOD) == {"votes.csv", "marks.csv", "session.json"}
    about = json.loads(GOOD["session.json"])
    assert about["begun"] == "2026-01-02T03:04:05.678000+00:00"
    assert (about["models"], about["interval_seconds"], about["software"]) == ("mine", 2.0, "2.0")
    assert GOOD["marks.csv"].splitlines()[:3] == ["kind,seconds,end,text", "mark,2.5,,question 1", "mark,7.0,,'=1+1"]
    assert len(GOOD["votes.csv"].splitlines()) == 6


def with_about(**changes: object) -> bytes:
    return packed(GOOD | {"session.json": json.dumps(json.loads(GOOD["session.json"]) | changes)})


def with_cell(column: str, value: str, row: int = 1) -> bytes:
    lines = [line.split(",") for line in GOOD["votes.csv"].splitlines()]
    lines[row][lines[0].index(column)] = value
    return packed(GOOD | {"votes.csv": "\n".join(map(",".join, lines)) + "\n"})


def with_marks(*rows: str) -> bytes:
    return packed(GOOD | {"marks.csv": "\n".join(["kind,seconds,end,text", *rows])})


def twice() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in GOOD:
            archive.writestr(name, GOOD[name])
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("votes.csv", GOOD["votes.csv"])
    return out.getvalue()


def encrypted() -> bytes:
    content = bytearray(packed(GOOD))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


def of_other_size(size: int) -> bytes:
    """Say in the directory that a file unpacks to this."""
    content = bytearray(packed(GOOD))
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"votes.csv"))
    content[at + 24 : at + 28] = size.to_bytes(4, "little")
    return bytes(content)


def with_zip64() -> bytes:
    """Its own end of the directory, which may say anything, stands where Python looks for it."""
    content = packed(GOOD)
    end = bytearray(content[-22:])
    end[12:16] = (int.from_bytes(end[12:16], "little") + 20).to_bytes(4, "little")
    return content[:-22] + struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1) + bytes(end)


def with_other_local_name() -> bytes:
    content = packed(GOOD)
    at = content.index(b"votes.csv")
    return content[:at] + b"../../etc"[:9] + content[at + 9 :]


def flipped() -> bytes:
    content = bytearray(packed(GOOD))
    content[content.index(b"votes.csv") + 40] ^= 0xFF
    return bytes(content)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "This is not a saved session: choose the ZIP file that was saved."),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n", "This is a PNG picture, not a saved session: choose the ZIP file"),
    "a table": (
        lambda: GOOD["votes.csv"].encode(),
        "This is a table as text (CSV), not a saved session: choose the ZIP file that was saved.",
    ),
    "beginning of a ZIP": (lambda: b"PK\x03\x04", CUT_OFF),
    "cut off": (lambda: packed(GOOD)[:-100], CUT_OFF),
    "something behind it": (lambda: packed(GOOD) + b"x", CUT_OFF),
    "something before it": (lambda: b"PK\x03\x04" + bytes(99) + packed(GOOD), CUT_OFF),
    "a flipped byte": (flipped, DAMAGED),
    "no file in it": (lambda: b"PK\x03\x04" + packed({}), CUT_OFF),
    "a file more": (lambda: packed(GOOD | {"x.exe": "MZ"}), OTHER_FILES),
    "a file less": (lambda: packed({name: GOOD[name] for name in ("votes.csv", "marks.csv")}), OTHER_FILES),
    "a file twice": (twice, OTHER_FILES),
    "a path": (lambda: packed({f"../{name}": text for name, text in GOOD.items()}), OTHER_FILES),
    "an absolute path": (lambda: packed({f"/etc/{name}": text for name, text in GOOD.items()}), OTHER_FILES),
    "a name with a nought": (
        lambda: packed(GOOD).replace(b"marks.csv", b"marks.cs\0"),
        OTHER_FILES,
    ),
    "another name inside": (with_other_local_name, DAMAGED),
    "thousands of files": (lambda: packed({f"{i}": "" for i in range(5000)}), NEITHER),
    "ZIP64": (with_zip64, NEITHER),
    "encrypted": (encrypted, "The saved session is encrypted: unpack it, and pack it again without a password."),
    "packed by LZMA": (lambda: packed(GOOD, zipfile.ZIP_LZMA), DAMAGED),
    "packed by bzip2": (lambda: packed(GOOD, zipfile.ZIP_BZIP2), DAMAGED),
    "a bomb": (lambda: packed(GOOD | {"votes.csv": bytes(100_000_001)}), TOO_MUCH),
    "a bomb of marks": (lambda: packed(GOOD | {"marks.csv": bytes(1_000_001)}), TOO_MUCH),
    "a bomb that says it is small": (lambda: of_other_size(10), DAMAGED),
    "a file that says it is large": (lambda: of_other_size(2**32 - 2), TOO_MUCH),
    "one endless line": (lambda: packed(GOOD | {"votes.csv": b"a" * 90_000_000}), DAMAGED),
    "endless rows": (lambda: packed(GOOD | {"votes.csv": GOOD["votes.csv"] + "\n" * 90_000_000}), DAMAGED),
    "an endless quote": (lambda: packed(GOOD | {"votes.csv": GOOD["votes.csv"] + '"' + "a\n" * 40_000_000}), DAMAGED),
    "too many votes": (
        lambda: save_session(replace(session(), moments=tuple(Moment(0.5 * i, None, ()) for i in range(50_001)))),
        DAMAGED,
    ),
    "votes that are no UTF-8": (lambda: packed(GOOD | {"votes.csv": b"\xff\xfe"}), DAMAGED),
    "UTF-16": (lambda: packed({name: text.encode("utf-16") for name, text in GOOD.items()}), DAMAGED),
    "no JSON": (lambda: packed(GOOD | {"session.json": "{"}), DAMAGED),
    "deep JSON": (lambda: packed(GOOD | {"session.json": "[" * 90_000}), DAMAGED),
    "a number as JSON": (lambda: packed(GOOD | {"session.json": "3"}), DAMAGED),
    "a list as JSON": (lambda: packed(GOOD | {"session.json": "[]"}), DAMAGED),
    "no number as JSON": (lambda: with_about(interval_seconds=float("nan")), DAMAGED),
    "a later version": (
        lambda: with_about(format=2),
        "This session was saved by a later version of this program: use that, or a newer one.",
    ),
    "an odd version": (lambda: with_about(format="1"), DAMAGED),
    "a true version": (lambda: with_about(format=True), DAMAGED),
    "version 0": (lambda: with_about(format=0), DAMAGED),
    "endless interval": (lambda: with_about(interval_seconds=1e300), DAMAGED),
    "no interval": (lambda: with_about(interval_seconds=0), DAMAGED),
    "interval as text": (lambda: with_about(interval_seconds="2"), DAMAGED),
    "smoothed as number": (lambda: with_about(smoothed=1), DAMAGED),
    "no classes": (lambda: with_about(classes=[]), DAMAGED),
    "a class twice": (lambda: with_about(classes=["Happy", "Happy", "Sad"]), DAMAGED),
    "a class of two lines": (lambda: with_about(classes=["Happy\n", "Sad", "Neutral"]), DAMAGED),
    "a class as number": (lambda: with_about(classes=[1, 2, 3]), DAMAGED),
    "a class as list": (lambda: with_about(classes=[["Happy"], "Sad", "Neutral"]), DAMAGED),
    "thousands of classes": (lambda: with_about(classes=[str(i) for i in range(5000)]), DAMAGED),
    "other classes": (lambda: with_about(classes=["Happy", "Sad", "Calm"]), DAMAGED),
    "a name of a megabyte": (lambda: with_about(models="x" * 90_000), DAMAGED),
    "a name with a surrogate": (lambda: with_about(models="\ud800"), DAMAGED),
    "a fingerprint as number": (lambda: with_about(fingerprint=3), DAMAGED),
    "a label that is none": (lambda: with_cell("label", "Calm"), DAMAGED),
    "a ballot that is none": (lambda: with_cell("a", ""), DAMAGED),
    "a probability that is no number": (lambda: with_cell("p_Happy", "nan"), DAMAGED),
    "an infinite probability": (lambda: with_cell("p_Happy", "inf"), DAMAGED),
    "probabilities over 1": (lambda: with_cell("p_Happy", "1.0"), DAMAGED),
    "a negative probability": (lambda: with_cell("p_Sad", "-0.1"), DAMAGED),
    "an infinite time": (lambda: with_cell("seconds", "inf", 5), DAMAGED),
    "a time before the one before": (lambda: with_cell("seconds", "0.5", 3), DAMAGED),
    "a time that is none": (lambda: with_cell("seconds", "1e9", 5), DAMAGED),
    "a day that is none": (lambda: with_cell("utc", "2026-13-01T00:00:00+00:00"), DAMAGED),
    "a day without its zone": (lambda: with_cell("utc", "2026-01-01T00:00:00"), DAMAGED),
    "a box of a billion pixels": (lambda: with_cell("width", "1000000000"), DAMAGED),
    "a box of 5,000 digits": (lambda: with_cell("x", "9" * 5000), DAMAGED),
    "maybe uncertain": (lambda: with_cell("uncertain", "maybe"), DAMAGED),
    "a reason of a page": (lambda: with_cell("why", "x" * 3000), DAMAGED),
    "a face twice": (lambda: packed(GOOD | {"votes.csv": "\n".join([*VOTES, VOTES[-1]])}), DAMAGED),
    "a mark without a word": (lambda: with_marks("mark,1.0,,"), DAMAGED),
    "a mark of a page": (lambda: with_marks(f"mark,1.0,,{'x' * 61}"), DAMAGED),
    "a mark at no time": (lambda: with_marks("mark,nan,,x"), DAMAGED),
    "marks out of turn": (lambda: with_marks("mark,2.0,,x", "mark,1.0,,y"), DAMAGED),
    "a pause that ends before it begins": (lambda: with_marks("pause,2.0,1.0,"), DAMAGED),
    "pauses that overlap": (lambda: with_marks("pause,1.0,3.0,", "pause,2.0,4.0,"), DAMAGED),
    "neither mark nor pause": (lambda: with_marks("x,1.0,,x"), DAMAGED),
    "thousands of marks": (lambda: with_marks(*["mark,1.0,,x"] * 2001), DAMAGED),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.hostile("what is wrong with the file, in one sentence")
def test_a_file_that_is_no_saved_session_is_refused(case: str) -> None:
    made, said = HOSTILE[case]
    content = made()
    tracemalloc.start()
    try:
        with pytest.raises(SessionError) as refused:
            open_session(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(refused.value).startswith(said)
    assert str(refused.value).count(". ") == 0
    assert peak < 100_000_000


@pytest.mark.hostile("that no session is so large")
def test_a_file_that_is_too_large_is_not_looked_at() -> None:
    with pytest.raises(
        SessionError, match=r"^The file is larger than 50 MB, and no session is: choose another file\.$"
    ):
        open_session(bytes(MOST_FILE_BYTES + 1))


@pytest.mark.hostile("a sentence, or the session")
def test_files_with_random_damage_end_in_a_sentence() -> None:
    generator = random.Random(7)
    whole = save_session(session("Happy", "Sad", None, "Neutral"))
    loose = [packed(GOOD, zipfile.ZIP_STORED), whole]
    for _ in range(400):
        with contextlib.suppress(EmotionError):
            open_session(mutated(generator.choice(loose), generator))
    for _ in range(400):  # behind the checksums, too
        name = generator.choice(list(GOOD))
        try:
            again = open_session(packed(GOOD | {name: mutated(GOOD[name].encode(), generator)}))
        except EmotionError:
            continue
        assert isinstance(again, SavedSession)
        assert open_session(save_session(again)) == again


@pytest.mark.slow
def test_the_longest_session_can_be_saved_and_opened() -> None:
    """Each vote that the page keeps, and the file is no larger than the page takes."""
    whole = replace(session(), moments=tuple(moments(*["Happy", "Sad"] * (MOST_VOTES // 2))), pauses=(Pause(3.0, 5.0),))
    content = save_session(whole)
    assert len(content) < MOST_FILE_BYTES
    assert open_session(content) == whole
