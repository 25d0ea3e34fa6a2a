"""Films that are written with boxes in them: what somebody who was filmed, or asked for it, sees and hears."""

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from emotion.errors import FilmError
from emotion.faces.detect import Box
from emotion.streams.drawing import expression_colour
from emotion.streams.films.annotating import Annotated, annotate
from emotion.streams.films.sound import PARTLY, UNREADABLE
from emotion.streams.films.watching import Choice
from emotion.streams.record import FaceRecord, Moment
from emotion.vote.voting import Vote
from tests.films import Picture, animation, film

LOSSLESS = {"qp": "0", "preset": "ultrafast"}
RATE = 16_000
CLASSES = ("Sad", "Happy")


def plain(n: int, height: int = 96, width: int = 160) -> list[Picture]:
    return [np.full((height, width, 3), 60 + 5 * i % 150, np.uint8) for i in range(n)]


def face(number: int, *box: int, label: str = "Happy") -> FaceRecord:
    vote = Vote(label, (label,) * 5, {name: float(name == label) for name in CLASSES}, False, False)
    return FaceRecord(number, vote, vote, Box(*box))


def moment(seconds: float, *faces: FaceRecord) -> Moment:
    return Moment(seconds, None, faces, round(30 * seconds))


def written(source: bytes, moments: list[Moment], folder: Path, choice: Choice | None = None) -> bytes:
    out = folder / "out.mp4"
    assert isinstance(annotate(source, moments, out, choice=choice or Choice()), Annotated)
    return out.read_bytes()


def frames_of(content: bytes) -> list[tuple[float, Picture]]:
    with av.open(io.BytesIO(content)) as container:
        return [(frame.time, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]


def columns_of_box(picture: Picture, row: int, label: str = "Happy") -> list[int]:
    """Where, in a row of pixels, the colour of an expression is."""
    colour = expression_colour(CLASSES.index(label))
    away = np.abs(picture[row].astype(int) - [int(colour[i : i + 2], 16) for i in (5, 3, 1)]).max(axis=1)
    return list(np.flatnonzero(away < 50))


def edges(picture: Picture, row: int, label: str = "Happy") -> tuple[int, int] | None:
    """The left and the right edge of a box, to two pixels: lines are three pixels wide, colours half as fine."""
    found = columns_of_box(picture, row, label)
    return (found[0] + 1, found[-1] - 1) if found else None


def test_a_box_is_where_the_face_was_and_glides_in_between(tmp_path: Path) -> None:
    moments = [moment(0.2, face(1, 20, 40, 40, 40)), moment(0.4, face(1, 80, 40, 40, 40))]
    frames = frames_of(written(film(plain(15, 96, 160), options=LOSSLESS), moments, tmp_path))
    assert len(frames) == 15
    assert edges(frames[5][1], 60) is None, "nothing is known before the first vote"
    assert edges(frames[6][1], 60) == pytest.approx((20, 60), abs=2)
    assert edges(frames[9][1], 60) == pytest.approx((50, 90), abs=2)
    assert edges(frames[12][1], 60) == pytest.approx((80, 120), abs=2)


def test_a_face_that_left_loses_its_box_with_the_next_vote_and_one_without_a_next_vote_after_a_second(
    tmp_path: Path,
) -> None:
    moments = [
        moment(0.0, face(1, 10, 40, 30, 40), face(2, 100, 40, 30, 40, label="Sad")),
        moment(0.2, face(2, 100, 40, 30, 40, label="Sad")),
    ]
    frames = frames_of(written(film(plain(40), options=LOSSLESS), moments, tmp_path))
    assert [edges(picture, 60) is not None for _, picture in frames[:8]] == [True] * 6 + [False] * 2
    assert [edges(picture, 60, "Sad") is not None for _, picture in frames[34:]] == [True] * 3 + [False] * 3


def test_a_box_does_not_cross_the_picture_while_there_were_no_frames(tmp_path: Path) -> None:
    stamps = [0.0, 0.1, 30.0, 30.1]
    moments = [moment(0.0, face(1, 10, 40, 30, 40)), moment(30.0, face(1, 100, 40, 30, 40))]
    frames = frames_of(written(film(plain(4), stamps=stamps, options=LOSSLESS), moments, tmp_path))
    assert edges(frames[1][1], 60) == pytest.approx((10, 40), abs=2)


def test_the_label_is_that_of_the_votes_that_are_shown(tmp_path: Path) -> None:
    happy, sad = face(1, 20, 40, 40, 40), face(1, 20, 40, 40, 40, label="Sad")
    both = FaceRecord(1, happy.vote, sad.vote, happy.box)
    source = film(plain(3), options=LOSSLESS)
    pictures = []
    for record, smoothed in ((both, True), (sad, True), (both, False), (happy, False)):
        annotate(source, [moment(0.0, record)], tmp_path / "out.mp4", choice=Choice(), smoothed=smoothed)
        pictures.append(frames_of((tmp_path / "out.mp4").read_bytes())[1][1])
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[2], pictures[3])
    assert not np.array_equal(pictures[0], pictures[2])


@pytest.mark.parametrize(
    "stamps", [[0.0, 0.04, 0.08, 0.12], [0.0, 0.04, 1.5, 1.51, 4.0], [0.0, 3.0]], ids=["even", "uneven", "two frames"]
)
def test_frames_are_shown_when_they_were(tmp_path: Path, stamps: list[float]) -> None:
    content = written(film(plain(len(stamps)), form="matroska", stamps=stamps), [], tmp_path)
    assert [seconds for seconds, _ in frames_of(content)] == pytest.approx(stamps, abs=0.001)
    with av.open(io.BytesIO(content)) as container:
        assert container.duration / av.time_base > stamps[-1], "a player would end before the last picture"


def test_a_film_of_a_phone_held_upright_is_upright(tmp_path: Path) -> None:
    lying = np.zeros((96, 160, 3), np.uint8)
    lying[:, :40] = 200
    frames = frames_of(written(film([lying] * 3, turned=90), [], tmp_path))
    assert frames[0][1].shape == (160, 96, 3)
    assert frames[0][1][-20, 48].mean() > 150
    assert frames[0][1][20, 48].mean() < 50


@pytest.mark.parametrize(("height", "width"), [(95, 127), (1, 1), (3, 64)])
def test_odd_sides_lose_no_pixel(tmp_path: Path, height: int, width: int) -> None:
    pictures = plain(3, height, width)
    source = film(pictures, form="matroska", codec="libx264", pixels="yuv444p", options=LOSSLESS)
    _, picture = frames_of(written(source, [], tmp_path))[1]
    assert picture.shape == (height + height % 2, width + width % 2, 3)
    assert picture[:height, :width] == pytest.approx(pictures[1], abs=4)


def test_a_large_film_is_reduced_and_its_boxes_with_it(tmp_path: Path) -> None:
    source = film(plain(2, 120, 3840), options=LOSSLESS)
    _, picture = frames_of(written(source, [moment(0.0, face(1, 1000, 40, 400, 70))], tmp_path))[0]
    assert picture.shape == (60, 1920, 3)
    assert edges(picture, 50) == pytest.approx((500, 700), abs=2)


def test_a_film_whose_size_changes_stays_whole(tmp_path: Path) -> None:
    joined = film(plain(10, 96, 160), form="mpegts") + film(plain(10, 160, 96), form="mpegts")
    frames = frames_of(written(joined, [], tmp_path))
    assert {picture.shape for _, picture in frames} == {(96, 160, 3)}
    assert frames[-1][1][48, 80].mean() > 80
    assert frames[-1][1][48, 5].mean() < 20, "an upright picture stands between black edges"


def test_an_animated_picture_becomes_a_film(tmp_path: Path) -> None:
    content = written(animation(plain(3), "GIF", [200, 500, 100]), [moment(0.0, face(1, 20, 40, 40, 40))], tmp_path)
    frames = frames_of(content)
    assert [seconds for seconds, _ in frames] == pytest.approx([0.0, 0.2, 0.7], abs=0.001)
    assert edges(frames[0][1], 60) == pytest.approx((20, 60), abs=2)


def test_every_browser_plays_it_before_all_of_it_is_there(tmp_path: Path) -> None:
    content = written(film(plain(30), sound=True), [], tmp_path)
    assert 0 < content.find(b"moov") < content.find(b"mdat")
    with av.open(io.BytesIO(content)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


# Sound: silence for a second, then a tone.


def sounding(codec: str, form: str, seconds: float = 2.0, rate: int = 48_000, first: float = 0.0) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form) as container:
        video: Any = container.add_stream("libx264" if form != "webm" else "libvpx", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        audio: Any = container.add_stream(codec, rate=rate, layout="mono")
        for number in range(round(25 * seconds)):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 99, np.uint8), "bgr24")
            picture.pts, picture.time_base = round(1000 * (first + number / 25)), Fraction(1, 1000)
            container.mux(video.encode(picture))
        time = np.arange(round(rate * seconds)) / rate
        samples = (np.where(time >= 1, np.sin(2 * np.pi * 440 * time), 0) * 20_000).astype(np.int16)
        resampler = av.AudioResampler(audio.format, "mono", rate, audio.codec_context.frame_size or 1024)
        whole = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
        whole.sample_rate, whole.pts, whole.time_base = rate, round(rate * first), Fraction(1, rate)
        for frame in [*resampler.resample(whole), *resampler.resample(None)]:
            container.mux(audio.encode(frame))
        container.mux(audio.encode())
        container.mux(video.encode())
    return buffer.getvalue()


def heard(content: bytes) -> tuple[str, float, float | None]:
    """The codec, when the sound ends, and when the tone begins (seconds)."""
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.audio[0]
        codec, begins, ends = stream.codec_context.codec.canonical_name, None, 0.0
        for frame in container.decode(stream):
            samples = np.abs(frame.to_ndarray()[0].astype(float))
            loud = np.flatnonzero(samples > 0.2 * (32768 if frame.format.name.startswith("s16") else 1))
            if begins is None and len(loud):
                begins = frame.time + loud[0] / frame.sample_rate
            ends = frame.time + frame.samples / frame.sample_rate
    return codec, ends, begins


SOUNDS = [
    ("aac", "mp4", "aac"),
    ("aac", "mpegts", "aac"),
    ("aac", "matroska", "aac"),
    ("libmp3lame", "mp4", "mp3"),
    ("libmp3lame", "avi", "mp3"),
    ("libopus", "webm", "aac"),
    ("ac3", "matroska", "aac"),
    ("flac", "matroska", "aac"),
    ("pcm_s16le", "mov", "aac"),
    ("pcm_s16le", "avi", "aac"),
    ("mp2", "mpegts", "aac"),
]


@pytest.mark.parametrize(("codec", "form", "becomes"), SOUNDS)
def test_the_sound_goes_along(tmp_path: Path, codec: str, form: str, becomes: str) -> None:
    source = sounding(codec, form)
    result = annotate(source, [], tmp_path / "out.mp4", choice=Choice())
    assert result is not None
    assert result.note == ""
    name, ends, begins = heard((tmp_path / "out.mp4").read_bytes())
    _, as_before, _ = heard(source)
    assert name == becomes
    assert ends == pytest.approx(min(as_before, 2.1), abs=0.1)
    assert begins == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize(("codec", "form"), [("aac", "mp4"), ("libopus", "webm"), ("libmp3lame", "avi")])
def test_a_part_has_its_part_of_the_sound(tmp_path: Path, codec: str, form: str) -> None:
    content = written(sounding(codec, form, seconds=3.0), [], tmp_path, Choice(start=0.6, end=2.0))
    frames = frames_of(content)
    assert [frames[0][0], frames[-1][0]] == pytest.approx([0.0, 1.4], abs=0.05)
    _, ends, begins = heard(content)
    assert ends == pytest.approx(1.4, abs=0.06)
    assert begins == pytest.approx(0.4, abs=0.06)


@pytest.mark.parametrize(("codec", "form"), [("aac", "mpegts"), ("mp2", "mpegts")])
def test_sound_stays_with_the_picture_where_a_film_does_not_begin_at_nought(
    tmp_path: Path, codec: str, form: str
) -> None:
    content = written(sounding(codec, form, first=70.0), [], tmp_path)
    assert frames_of(content)[0][0] == pytest.approx(0.0, abs=0.1)
    assert heard(content)[2] == pytest.approx(1.0, abs=0.1)


def test_of_two_recordings_in_one_file_both_are_heard(tmp_path: Path) -> None:
    content = written(sounding("aac", "mpegts") + sounding("aac", "mpegts"), [], tmp_path)
    assert len(frames_of(content)) >= 98
    assert heard(content)[1] == pytest.approx(4.0, abs=0.2)


def test_a_film_without_sound_has_none_and_misses_none(tmp_path: Path) -> None:
    result = annotate(film(plain(3)), [], tmp_path / "out.mp4", choice=Choice())
    assert result == Annotated(3, pytest.approx(0.1), "")
    with av.open(tmp_path / "out.mp4") as container:
        assert not container.streams.audio


@pytest.mark.parametrize(
    "source",
    [sounding("aac", "mp4").replace(b"mp4a", b"enca"), sounding("tta", "matroska")],
    ids=["encrypted", "of a codec that nobody films with"],
)
def test_sound_that_cannot_be_read_is_told_and_the_pictures_are_there(tmp_path: Path, source: bytes) -> None:
    result = annotate(source, [], tmp_path / "out.mp4", choice=Choice())
    assert result is not None
    assert result.note == UNREADABLE == "The film's sound could not be read and was left out."
    assert len(frames_of((tmp_path / "out.mp4").read_bytes())) == 50


def test_sound_that_is_damaged_in_places_is_told(tmp_path: Path) -> None:
    source = bytearray(sounding("flac", "matroska"))
    at = source.find(b"\xff\xf8", len(source) * 3 // 4)
    source[at : at + 2] = b"\0\0"
    result = annotate(bytes(source), [], tmp_path / "out.mp4", choice=Choice())
    assert result is not None
    assert result.note == PARTLY == "A part of the film's sound could not be read and was left out."
    assert heard((tmp_path / "out.mp4").read_bytes())[1:] == pytest.approx((2.0, 1.0), abs=0.2)


def test_a_film_that_ends_too_early_is_written_as_far_as_it_goes(tmp_path: Path) -> None:
    source = film(plain(60), form="matroska", options={"g": "10"})
    result = annotate(source[: len(source) * 2 // 3], [], tmp_path / "out.mp4", choice=Choice())
    assert result is not None
    assert result.note.startswith("The film ends too early: ")
    assert 0 < result.frames < 60
    assert len(frames_of((tmp_path / "out.mp4").read_bytes())) == result.frames


def test_frames_that_follow_each_other_faster_than_any_clock_are_all_there(tmp_path: Path) -> None:
    """As those of a film whose time scale is damaged."""
    source = bytearray(film(plain(5)))
    at = source.find(b"mdhd") + 16
    source[at : at + 4] = (2**31 - 1).to_bytes(4, "big")
    assert len(frames_of(written(bytes(source), [], tmp_path))) == 5


def test_stopping_leaves_nothing_behind(tmp_path: Path) -> None:
    told: list[float] = []
    result = annotate(
        film(plain(30)), [], tmp_path / "out.mp4", choice=Choice(), told=told.append, stopping=lambda: len(told) == 5
    )
    assert result is None
    assert told == pytest.approx([number / 30 for number in range(1, 6)])
    assert list(tmp_path.iterdir()) == []


def test_a_start_after_the_end_of_the_film_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FilmError) as told:
        written(film(plain(3), sound=True), [], tmp_path, Choice(start=5.0))
    assert str(told.value) == "The film has no picture between the start and the end that were chosen."
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_film_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FilmError):
        written(b"nothing that moves", [], tmp_path)
    assert list(tmp_path.iterdir()) == []
