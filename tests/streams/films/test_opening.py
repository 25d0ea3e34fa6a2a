"""Films as cameras, phones and programs write them: each frame upright, with its number and its time."""

import contextlib
import gc
import io
import itertools
import os
import re
import struct
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from emotion.errors import FilmError
from emotion.streams.films.reading.clock import Clock
from emotion.streams.films.reading.frames import Frame, note_on
from emotion.streams.films.reading.opening import open_film
from tests.films import KINDS, FilmKind, Picture, animation, film, index_first, number_of, numbered

RATE = 5
LONG = 240
"""Frames; beyond the length from which on it is worth jumping."""
FAR = LONG / RATE - 2


def read(content: bytes, since: float = 0.0) -> list[tuple[int, float, int]]:
    """Number, seconds and what stands in the picture, of each frame."""
    with open_film(content) as opened:
        return [(frame.number, frame.seconds, number_of(frame.picture())) for frame in opened.frames(since)]


def told_of(content: bytes) -> tuple[list[Frame], str]:
    with open_film(content) as opened:
        frames = list(opened.frames())
        return frames, note_on(opened)


def of_kind(kind: FilmKind, count: int, **settings: Any) -> bytes:
    rate = settings.pop("rate", RATE)
    return film([numbered(number) for number in range(count)], rate=rate, **{**kind.settings, **settings})


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="this system does not tell")
def test_films_are_made_without_a_right_of_way(kind: FilmKind) -> None:
    """What the tests start later, servers and browsers, would have it too, and starve everything else."""
    before = os.sched_getscheduler(0)
    of_kind(kind, 3)
    assert os.sched_getscheduler(0) == before


def threads() -> set[str]:
    return {thread.name for thread in Path("/proc/self/task").iterdir()}


@pytest.mark.parametrize("ends", ["after some frames", "before any", "in a fault"])
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="Linux alone tells a process's threads so")
def test_a_film_that_is_closed_leaves_no_threads(ends: str) -> None:
    """A process that is forked later, as for a table of faces, would wait for ever for threads that it has not."""
    content = film([numbered(number) for number in range(20)], rate=RATE)
    gc.collect()
    gc.disable()
    try:
        before = threads()
        with contextlib.suppress(ZeroDivisionError), open_film(content) as opened:
            if ends != "before any":
                next(iter(opened.frames()))
            assert threads() - before
            if ends == "in a fault":
                raise ZeroDivisionError
        deadline = time.monotonic() + 30
        while threads() - before:  # one that has been waited for is listed for a moment more
            assert time.monotonic() < deadline
    finally:
        gc.enable()


@pytest.mark.parametrize("name", KINDS)
def test_frames_come_in_their_order_each_at_its_time(name: str) -> None:
    with open_film(of_kind(KINDS[name], 30, sound=KINDS[name].sound)) as opened:
        assert (opened.width, opened.height) == (64, 48)
        frames = list(opened.frames())
        assert [frame.number for frame in frames] == list(range(30))
        assert [number_of(frame.picture()) for frame in frames] == list(range(30))
        assert [frame.seconds for frame in frames] == pytest.approx([number / RATE for number in range(30)], abs=0.03)
        assert frames[0].picture().shape == (48, 64, 3)
        assert note_on(opened) == ""
        if opened.duration and name != "VOB MPEG-2":
            assert opened.duration == pytest.approx(30 / RATE, abs=2 / RATE + 0.01)


JUMPS = [name for name in KINDS if name not in ("VOB MPEG-2", "MPEG-2 alone")]
"""In those, most frames have no stamps of their own."""


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_after_a_jump_frames_have_the_numbers_and_times_that_they_had_without(name: str) -> None:
    content = of_kind(KINDS[name], LONG)
    whole = read(content)
    with open_film(content) as opened:
        after = [(frame.number, frame.seconds, number_of(frame.picture())) for frame in opened.frames(FAR)]
        assert note_on(opened) == ""
    assert [number for _, _, number in whole] == list(range(LONG))
    assert after == whole[-len(after) :]
    assert after[0][1] < FAR
    assert (len(after) < LONG) is (name in JUMPS)


def test_a_jump_beyond_the_end_and_a_second_reading_begin_where_they_should() -> None:
    content = of_kind(KINDS["MP4 H.264"], LONG)
    with open_film(content) as opened:
        beyond = [frame.number for frame in opened.frames(10_000)]
        assert beyond == list(range(beyond[0], LONG))
        assert next(iter(opened.frames())).number == 0
        assert [frame.number for frame in opened.frames()] == list(range(LONG))


def joined(*parts: bytes) -> bytes:
    return b"".join(parts)


def test_recordings_in_one_file_follow_one_another() -> None:
    """Some cameras put the next recording, whose stamps begin anew, behind the last."""
    content = joined(*(of_kind(KINDS["TS H.264"], 40, rate=20) for _ in range(2)))
    frames = read(content)
    assert [number for number, _, _ in frames] == list(range(len(frames)))
    assert len(frames) >= 78
    assert all(before < after for (_, before, _), (_, after, _) in itertools.pairwise(frames))
    assert frames[-1][1] == pytest.approx(4.0, abs=0.3)
    assert frames[-1][2] == 39


def test_a_jump_into_the_second_of_two_recordings_is_not_numbered_by_the_first() -> None:
    part = of_kind(KINDS["TS H.264"], LONG)
    content = joined(part, of_kind(KINDS["TS H.264"], 2 * LONG))
    assert read(content, 60.0) == read(content)[-len(read(content, 60.0)) :]


@pytest.mark.parametrize("name", ["MP4 H.264", "MKV H.264", "WebM VP9", "MOV Motion JPEG", "FLV H.264"])
def test_times_are_those_of_the_frames_own_stamps(name: str) -> None:
    """Phones film at a rate that varies: times by the average rate would run ahead, and fall behind."""
    stamps = [0.0, 0.02, 0.06, 0.5, 0.52, 0.55, 2.0, 2.04, 2.08, 5.0, 5.04]
    frames = read(of_kind(KINDS[name], len(stamps), stamps=stamps, rate=30))
    assert [seconds for _, seconds, _ in frames] == pytest.approx(stamps, abs=0.002)
    assert [number for _, _, number in frames] == list(range(len(stamps)))


@pytest.mark.parametrize("name", ["MP4 H.264", "MKV H.264", "TS H.264", "WebM VP8", "FLV H.264", "WMV"])
@pytest.mark.parametrize("begins", [0.4, 5000.0])
def test_a_film_begins_at_nought_whatever_its_clock_shows(name: str, begins: float) -> None:
    content = of_kind(KINDS[name], 12, stamps=[begins + number / RATE for number in range(12)])
    assert [seconds for _, seconds, _ in read(content)] == pytest.approx([n / RATE for n in range(12)], abs=0.05)


def test_pictures_that_begin_after_the_sound_are_late_by_that() -> None:
    content = of_kind(KINDS["MKV H.264"], 12, stamps=[0.4 + number / RATE for number in range(12)], sound=True)
    assert [seconds for _, seconds, _ in read(content)][:2] == pytest.approx([0.4, 0.6], abs=0.1)


def quarters() -> Picture:
    """White and red above, blue and black below."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 235
    picture[:24, 32:] = (20, 20, 220)
    picture[24:, :32] = (220, 20, 20)
    return picture


def moved(picture: Picture, matrix: Sequence[int]) -> Picture:
    """Put each pixel where a matrix (a b u c d v x y w) sends it."""
    a, b, _, c, d = matrix[:5]
    y, x = np.indices(picture.shape[:2])
    to_x, to_y = a * x + c * y, b * x + d * y
    to_x, to_y = to_x - to_x.min(), to_y - to_y.min()
    shown = np.zeros((to_y.max() + 1, to_x.max() + 1, 3), np.uint8)
    shown[to_y, to_x] = picture
    return shown


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("form", ["mp4", "mov"])
def test_pictures_are_upright_and_not_mirrored_where_they_should_not_be(
    form: str, across: bool, signs: tuple[int, int]
) -> None:
    one, other = signs
    matrix = [0, one, 0, other, 0, 0, 0, 0, 1] if across else [one, 0, 0, 0, other, 0, 0, 0, 1]
    content = film([quarters()] * 2, form=form, turned=[n << 16 for n in matrix[:8]] + [1 << 30], pixels="yuv444p")
    expected = moved(quarters(), matrix)
    with open_film(content) as opened:
        pictures = [frame.picture() for frame in opened.frames()]
        assert (opened.height, opened.width) == expected.shape[:2]
    assert cv2.absdiff(pictures[0], expected).mean() < 8


def test_cameras_write_how_they_were_held_into_each_picture() -> None:
    """Motion JPEG may have Exif in each frame, for which PyAV has no name."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer, jpeg = io.BytesIO(), io.BytesIO()
    Image.fromarray(quarters()[:, :, ::-1]).save(jpeg, "JPEG", exif=exif, quality=95, subsampling=0)
    with av.open(io.BytesIO(of_kind(KINDS["AVI Motion JPEG"], 3))) as source, av.open(buffer, "w", "avi") as packed:
        track = packed.add_stream_from_template(source.streams.video[0])
        for number in range(3):
            packet = av.Packet(jpeg.getvalue())
            packet.pts = packet.dts = number
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, RATE), track, True
            packed.mux_one(packet)
    with open_film(buffer.getvalue()) as opened:
        pictures = [frame.picture() for frame in opened.frames()]
    upright = np.rot90(quarters(), -1)
    assert [picture.shape for picture in pictures] == [upright.shape] * 3
    assert cv2.absdiff(pictures[0], np.ascontiguousarray(upright)).mean() < 8


@pytest.mark.parametrize("aspect", [Fraction(2), Fraction(1, 2), Fraction(16, 11)])
@pytest.mark.parametrize("name", ["MP4 H.264", "MKV H.264", "TS H.264"])
def test_pixels_are_made_square(name: str, aspect: Fraction) -> None:
    with open_film(of_kind(KINDS[name], 3, aspect=aspect, rate=25)) as opened:
        first = next(iter(opened.frames()))
        assert (opened.width, opened.height) == pytest.approx((64 * aspect, 48), abs=1)
        assert first.picture().shape == (opened.height, opened.width, 3)


def test_frames_are_reduced_and_say_by_how_much() -> None:
    picture = cv2.resize(numbered(0b101_001_110), (3000, 750), interpolation=cv2.INTER_NEAREST)
    with open_film(film([picture] * 2, codec="mpeg4", options={"qscale": "2"}, turned=90)) as opened:
        frame = next(iter(opened.frames()))
        assert (opened.width, opened.height) == (750, 3000)
        assert frame.picture().shape == (1920, 480, 3)
        assert frame.scale == 3000 / 1920


@pytest.mark.parametrize("pixels", ["yuv444p", "yuv420p10le", "yuv422p10le"])
@pytest.mark.parametrize("size", [(127, 95), (65, 48), (34, 2)])
def test_odd_sides_and_more_bits_are_read(size: tuple[int, int], pixels: str) -> None:
    width, height = size
    if pixels != "yuv444p":
        width, height = width & ~1, height & ~1
    picture = np.full((height, width, 3), (40, 120, 200), np.uint8)
    with open_film(film([picture] * 3, pixels=pixels)) as opened:
        got = [frame.picture() for frame in opened.frames()]
    assert {each.shape for each in got} == {(height, width, 3)}
    assert np.abs(got[0].astype(int) - picture).max() < 12


def test_of_a_frame_of_two_moments_one_is_shown() -> None:
    """Else a face that moves has combs for edges."""
    comb = np.zeros((64, 64, 3), np.uint8)
    comb[::2] = 200
    content = film(
        [comb] * 4, form="mpegts", codec="mpeg2video", interlaced=True, options={"qmin": "1", "qmax": "1"}, rate=25
    )
    with open_film(content) as opened:
        picture = next(iter(opened.frames())).picture()
    assert picture.shape == (64, 64, 3)
    assert picture.min() > 150


def test_a_film_may_change_its_size() -> None:
    parts = [cv2.resize(numbered(5), size, interpolation=cv2.INTER_NEAREST) for size in ((64, 48), (128, 96))]
    content = joined(*(film([part] * 10, form="mpegts", rate=25) for part in parts))
    with open_film(content) as opened:
        shapes = [frame.picture().shape for frame in opened.frames()]
    assert set(shapes) == {(48, 64, 3), (96, 128, 3)}
    assert shapes == sorted(shapes)


def remuxed(content: bytes, form: str, change: Callable[[int, Any], bool], **options: str) -> bytes:
    """Copy packets; of each, `change` is given the number, and tells whether to keep it."""
    buffer = io.BytesIO()
    with av.open(io.BytesIO(content)) as source, av.open(buffer, "w", format=form, options=options) as container:
        track = container.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(source.streams.video[0]) if packet.size]
        for number, packet in enumerate(packets):
            if change(number, packet):
                packet.stream = track
                container.mux_one(packet)
    return buffer.getvalue()


def test_pictures_before_an_edit_are_neither_shown_nor_counted() -> None:
    """Phones trim films by a list of edits: the pictures that the first ones shown are made from are still there."""

    def earlier(_: int, packet: Any) -> bool:
        shift = round(1.0 / packet.time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        return True

    content = remuxed(of_kind(KINDS["MP4 H.264"], LONG), "mp4", earlier, avoid_negative_ts="disabled")
    whole = read(content)
    assert [number for _, _, number in whole] == list(range(RATE, LONG))
    assert (whole[0][0], whole[0][1]) == (0, pytest.approx(0.0, abs=0.01))
    after = read(content, FAR - 1)
    assert after == whole[-len(after) :]
    assert len(after) < len(whole)


def test_a_film_that_begins_within_a_group_of_pictures_is_numbered_from_its_first_whole_picture() -> None:
    content = remuxed(of_kind(KINDS["TS H.264"], LONG), "mpegts", lambda number, _: number > 10)
    whole, after = read(content), read(content, FAR - 4)
    assert whole[0][0] == 0
    assert after == whole[-len(after) :]


def test_hidden_pictures_of_vp8_are_not_counted() -> None:
    rng = np.random.default_rng(0)
    shades = cv2.GaussianBlur(rng.integers(0, 255, (48, 640, 3), dtype=np.uint8), (9, 9), 0)
    moving = [shades[:, 2 * n : 2 * n + 64] for n in range(LONG)]
    options = {"auto-alt-ref": "1", "lag-in-frames": "16", "arnr-maxframes": "7", "arnr-strength": "5", "g": "60"}
    content = film(moving, form="webm", codec="libvpx", rate=RATE, options={**options, "b": "40k"})
    with open_film(content) as opened:
        whole = [(frame.number, frame.seconds) for frame in opened.frames()]
        after = [(frame.number, frame.seconds) for frame in opened.frames(FAR)]
    assert len(whole) == LONG
    assert after == whole[-len(after) :]
    assert len(after) < LONG


def cut(content: bytes, share: float) -> bytes:
    return content[: round(share * len(content)) | 1]


@pytest.mark.parametrize(
    "name", ["MP4 H.264", "MKV H.264", "AVI Motion JPEG", "TS H.264", "FLV H.264", "WMV", "WebM VP9"]
)
def test_of_a_film_that_was_cut_off_what_is_there_is_given_and_told(name: str) -> None:
    content = of_kind(KINDS[name], 120, rate=25)
    frames, told = told_of(cut(index_first(content) if name.startswith("MP4") else content, 0.7))
    assert 20 < len(frames) < 118
    assert [number_of(frame.picture()) for frame in frames[:20]] == list(range(20))
    assert told.startswith(f"The film ends too early: {frames[-1].seconds + 1 / 25:.1f}"), told


@pytest.mark.parametrize("share", [0.5, 0.8])
@pytest.mark.parametrize("name", ["MP4 H.264", "MP4 HEVC", "MOV Motion JPEG"])
def test_a_recording_that_was_not_ended_has_no_index(name: str, share: float) -> None:
    with pytest.raises(FilmError, match=r"index, which cameras write last, is missing.* Copy it anew\.$"):
        read(cut(of_kind(KINDS[name], 20), share))


@pytest.mark.parametrize("name", ["MP4 H.264", "TS MPEG-2", "MKV H.264", "FLV H.264", "MOV ProRes"])
def test_a_hole_in_the_middle_ends_nothing_and_is_told(name: str) -> None:
    rng = np.random.default_rng(0)
    noise = [numbered(number) // 2 + rng.integers(0, 99, (48, 64, 3), dtype=np.uint8) for number in range(150)]
    container = {"cluster_time_limit": "500"} if name.startswith("MKV") else {}
    content = film(noise, rate=25, container=container, **KINDS[name].settings)
    begins = len(content) * 4 // 10
    frames, told = told_of(content[:begins] + bytes(len(content) // 10) + content[begins + len(content) // 10 :])
    assert 60 < len(frames) < 150
    assert frames[-1].seconds > 5
    assert told


def test_damaged_stamps_do_not_lead_hours_away() -> None:
    clock = Clock(None, 7.0, 25.0, length=60.0)
    stamps = [7.0, 7.04, None, 2.0**62, 7.16, 7.2, -(2.0**62), 7.28]
    assert [clock.seconds(stamp) for stamp in stamps] == pytest.approx([n / 25 for n in range(8)])


def test_a_film_that_starts_late_within_the_hour_and_has_pauses_keeps_them() -> None:
    """A camera that films only what moves leaves hours out; its film says how long it is."""
    stamps = [0.0, 0.2, 0.4, 9000.0, 9000.2]
    assert [seconds for _, seconds, _ in read(of_kind(KINDS["MOV Motion JPEG"], 5, stamps=stamps))] == pytest.approx(
        stamps
    )


# Animated pictures


def test_frames_of_animated_pictures_are_shown_as_long_as_each_says() -> None:
    pictures = [numbered(number) for number in range(1, 6)]
    for form in ("GIF", "WEBP", "PNG"):
        frames = read(animation(pictures, form, [100, 40, 200, 1000, 100]))
        assert [number for _, _, number in frames] == [1, 2, 3, 4, 5], form
        assert [seconds for _, seconds, _ in frames] == pytest.approx([0, 0.1, 0.14, 0.34, 1.34]), form


def test_a_frame_that_is_shown_for_no_time_is_shown_as_browsers_do() -> None:
    frames = read(animation([numbered(number) for number in range(3)], "GIF", 0))
    assert [seconds for _, seconds, _ in frames] == pytest.approx([0, 0.1, 0.2])


def test_frames_of_animated_pictures_are_laid_over_one_another_and_over_white() -> None:
    base = Image.fromarray(np.ascontiguousarray(quarters()[:, :, ::-1])).convert("RGBA")
    patch = Image.new("RGBA", base.size, (0, 0, 0, 0))
    patch.paste((0, 255, 0, 255), (0, 0, 16, 16))
    clear = Image.new("RGBA", base.size, (0, 0, 0, 0))
    clear.paste((9, 9, 9, 255), (60, 44, 64, 48))
    for form, options in (("GIF", {"disposal": [1, 1, 2]}), ("PNG", {"blend": 1})):
        buffer = io.BytesIO()
        base.save(buffer, form, save_all=True, append_images=[patch, clear], duration=100, **options)
        with open_film(buffer.getvalue()) as opened:
            pictures = [frame.picture() for frame in opened.frames()]
        assert pictures[1][4, 4].tolist() == [0, 255, 0], form
        assert np.abs(pictures[1][40, 4].astype(int) - (220, 20, 20)).max() < 40, form
    buffer = io.BytesIO()
    clear.save(buffer, "PNG", save_all=True, append_images=[patch], duration=100)
    with open_film(buffer.getvalue()) as opened:
        assert next(iter(opened.frames())).picture()[0, 0].tolist() == [255, 255, 255]


def test_a_picture_for_programs_that_do_not_know_animated_ones_is_no_frame_of_it() -> None:
    pictures = [Image.fromarray(numbered(number)) for number in (4095, 1, 2)]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "PNG", save_all=True, default_image=True, append_images=pictures[1:], duration=100)
    assert read(buffer.getvalue()) == [(0, 0.0, 1), (1, pytest.approx(0.1), 2)]


@pytest.mark.parametrize("form", ["GIF", "PNG"])
def test_animated_pictures_that_were_cut_off_say_so(form: str) -> None:
    content = animation([numbered(number) for number in range(1, 9)], form)
    frames, told = told_of(content[: len(content) * 6 // 10])
    assert 2 <= len(frames) < 8
    assert told == f"The film ends too early: {len(frames) / 10:.1f} seconds are there."


def test_frames_that_are_the_same_are_one_that_is_shown_longer() -> None:
    """Programs that write animated pictures put them together."""
    frames = read(animation([numbered(number) for number in (1, 1, 1, 2)], "GIF"))
    assert [(seconds, number) for _, seconds, number in frames] == [(0.0, 1), (pytest.approx(0.3), 2)]


def test_a_gif_does_not_grow_beyond_its_edges() -> None:
    content = bytearray(animation([numbered(number) for number in range(3)], "GIF"))
    descriptor = list(re.finditer(rb"!\xf9\x04.{4}\x00,", content, re.DOTALL))[-1]
    struct.pack_into("<H", content, descriptor.end(), 4000)
    with open_film(bytes(content)) as opened:
        assert {frame.picture().shape for frame in opened.frames()} == {(48, 64, 3)}


@pytest.mark.parametrize("form", ["TIFF", "MPO"])
def test_pages_and_views_are_no_film(form: str) -> None:
    with pytest.raises(
        FilmError, match=r"^This is a (TIFF|JPEG) picture that does not move, not a film: use a film\.$"
    ):
        read(animation([numbered(1), numbered(2)], form))
