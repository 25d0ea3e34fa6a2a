"""Films that somebody else made: that name other files, lie about themselves, or stand for more than a machine has."""

import io
import random
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import cv2
import numpy as np
import pytest

from emotion import config
from emotion.errors import FilmError
from emotion.streams.films.reading import inputs
from emotion.streams.films.reading.opening import open_film
from emotion.streams.films.reading.upright import Forms
from tests.films import animation, film, index_first, numbered
from tests.fuzz_films import Reader, spoilt
from tests.loopback import http_answer, serving

PICTURES = [numbered(number) for number in range(10)]
MP4 = film(PICTURES, rate=5, options={"g": "5"})
MKV = film(PICTURES, rate=5, form="matroska")
AVI = film(PICTURES, rate=5, form="avi", codec="mjpeg", pixels="yuvj420p")
UNCOMPRESSED = film(PICTURES, rate=5, form="avi", codec="rawvideo", pixels="bgr24")
TS = film(PICTURES, rate=5, form="mpegts")

DAMAGED = "The film is damaged or incomplete; use another copy of it."
NO_PICTURE = "The film has no picture that can be read: use another copy of it."
NO_INDEX = (
    "The film's index, which cameras write last, is missing: it was cut off, or its recording was not ended. "
    "Copy it anew."
)
NO_VIDEO = "The file has no video track, only sound or nothing: use a film with pictures."
ENCRYPTED = "The film is encrypted, as shops and streaming services sell them: it cannot be read."
ANIMATION_DAMAGED = "The animated picture is damaged or incomplete; use another copy of it."
NO_MOVEMENT = "that does not move, not a film: use a film."
KNOWN = "use MP4, MOV, WebM, MKV, AVI or an animated GIF."


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """A process that reads films, and says when it took too long, too much memory, or the process itself."""
    reader = Reader()
    yield reader
    reader.close()


# Other files and addresses


def avi_with_subtitles(text: bytes) -> bytes:
    """Put a track of subtitles of the kind GAB2 into a film; FFmpeg once opened what was in it by its content."""
    name = "a".encode("utf-16-le") + bytes(2)
    content = b"GAB2\0" + struct.pack("<HI", 2, len(name)) + name + struct.pack("<HI", 4, len(text)) + text
    header = b"txts" + bytes(16) + struct.pack("<IIII", 1, 1000, 0, 1) + bytes(20)
    track = chunk(b"LIST", b"strl" + chunk(b"strh", header) + chunk(b"strf", b""))
    at = AVI.index(b"LIST", AVI.index(b"LIST") + 4)
    size = struct.unpack_from("<I", AVI, at + 4)[0]
    head, movie = AVI[: at + 8 + size] + track, AVI[at + 8 + size :]
    begins = head.index(b"LIST")
    head = bytearray(head)
    struct.pack_into("<I", head, begins + 4, struct.unpack_from("<I", head, begins + 4)[0] + len(track))
    struct.pack_into("<I", head, head.index(b"avih") + 8 + 24, 2)
    movie = movie.replace(b"movi", b"movi" + chunk(b"01tx", content), 1)
    return bytes(head) + movie


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def mov_that_refers_to(path: Path) -> bytes:
    """Let the pictures of a film lie in another file, as QuickTime's reference films do."""
    place = str(path).replace("/", ":").encode()
    alias = bytes(150) + struct.pack(">hH", 2, len(place)) + place + bytes(len(place) % 2) + struct.pack(">hH", -1, 0)
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    content = index_first(film(PICTURES, rate=5, form="mov", codec="mjpeg", pixels="yuvj420p"))
    at = content.index(b"dref") - 4
    old = struct.unpack_from(">I", content, at)[0]
    new = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    changed = bytearray(content[:at] + new + content[at + old :])
    grown = len(new) - old
    for outer in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        place = changed.rindex(outer, 0, at + 4) - 4
        struct.pack_into(">I", changed, place, struct.unpack_from(">I", changed, place)[0] + grown)
    return bytes(changed)


def listing(form: str, what: str) -> bytes:
    return {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2,\n{what}\n#EXT-X-ENDLIST\n",
        "ffconcat": f"ffconcat version 1.0\nfile {what}\n",
        "concat": f"file '{what}'\n",
        "mpd": f'<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>{what}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>",
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 {what}\nt=0 0\nm=video 9 RTP/AVP 96\n",
    }[form].encode()


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary.ts"
    path.write_bytes(TS)
    return path


def frames_by_ffmpeg_alone(path: Path, **settings: Any) -> int:
    with av.open(str(path), **settings) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("form", ["m3u8", "ffconcat"])
def test_these_lists_would_open_other_files_if_ffmpeg_were_asked(form: str, canary: Path) -> None:
    """Without this, the tests below would show nothing."""
    path = canary.with_name(f"list.{form}")
    path.write_bytes(listing(form, canary.name))
    assert frames_by_ffmpeg_alone(path) == len(PICTURES)


@pytest.mark.hostile("that it is a list or a text, and no film")
@pytest.mark.parametrize("as_mp4", [False, True])
@pytest.mark.parametrize("form", ["m3u8", "ffconcat", "concat", "mpd", "sdp"])
def test_a_list_of_films_opens_none_of_them(form: str, as_mp4: bool, canary: Path) -> None:
    with serving({"/a.ts": http_answer(TS)}) as server:
        for what in (canary.name, str(canary), f"file:{canary}", server.url("/a.ts")):
            path = canary.with_name("film.mp4" if as_mp4 else f"list.{form}")
            path.write_bytes(listing(form, what))
            told = r"^This is (a playlist of a film, which only names films: use the film itself|an? .*not a film: use)"
            with path.open("rb") as file, pytest.raises(FilmError, match=told), open_film(file):
                pass
        assert server.heads == []


def asked_of(content: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], int]:
    """What FFmpeg asks us to open beside a film, and how many frames were read."""
    asked: list[str] = []

    def noted(url: str, *rest: Any) -> Any:
        asked.append(url)
        raise AssertionError(url)

    monkeypatch.setattr(inputs, "_nothing_else", noted)
    with open_film(content) as opened:
        return asked, sum(1 for _ in opened.frames())


def test_this_film_would_open_another_if_ffmpeg_were_told_to(canary: Path) -> None:
    """Without this, the test below would show nothing."""
    content = mov_that_refers_to(canary)
    asked = []

    def noted(url: str, *_: Any) -> Any:
        asked.append(url)
        return canary.open("rb")

    with av.open(
        io.BytesIO(content), format="mov", io_open=noted, options={"enable_drefs": "1", "use_absolute_path": "1"}
    ):
        pass
    assert asked == [str(canary)]


@pytest.mark.hostile("that the film names other files, which are not opened")
def test_a_film_that_refers_to_another_file_does_not_open_it(canary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FilmError, match=r"^The film names other files, which are not opened: use a film that is whole"):
        asked_of(mov_that_refers_to(canary), monkeypatch)


@pytest.mark.hostile("the film's own pictures")
@pytest.mark.parametrize("form", ["m3u8", "ffconcat"])
def test_subtitles_that_are_a_list_are_not_followed(form: str, canary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"/a.ts": http_answer(TS)}) as server:
        for what in (str(canary), server.url("/a.ts")):
            content = avi_with_subtitles(listing(form, what))
            with av.open(io.BytesIO(content)) as container:
                assert len(container.streams) == 2, "the film has no subtitles"
            asked, count = asked_of(content, monkeypatch)
            assert (asked, count) == ([], len(PICTURES))
        assert server.heads == []


@pytest.mark.hostile("the film's own pictures")
def test_what_is_attached_to_a_film_is_not_looked_into(canary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    with av.open(io.BytesIO(MKV)) as source, av.open(buffer, "w", format="matroska") as packed:
        track = packed.add_stream_from_template(source.streams.video[0])
        packed.add_attachment("list.m3u8", "application/x-mpegurl", listing("m3u8", str(canary)))
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = track
                packed.mux_one(packet)
    assert str(canary).encode() in buffer.getvalue()
    assert asked_of(buffer.getvalue(), monkeypatch) == ([], len(PICTURES))


# Lies


def patched(content: bytes, what: bytes, offset: int, value: bytes) -> bytes:
    """Write over what lies so many bytes after the beginning of a name."""
    at = content.index(what) + offset
    return content[:at] + value + content[at + len(value) :]


def with_many_tracks(count: int) -> bytes:
    content = index_first(MP4)
    at, index = content.index(b"trak") - 4, content.index(b"moov") - 4
    size, whole = (struct.unpack_from(">I", content, place)[0] for place in (at, index))
    head = content[:index] + struct.pack(">I", whole + size * (count - 1)) + content[index + 4 : at]
    return head + content[at : at + size] * count + content[at + size :]


def of_jpegs(*sides: int) -> bytes:
    """Frames of other sizes than the film says."""
    buffer = io.BytesIO()
    with av.open(io.BytesIO(AVI)) as source, av.open(buffer, "w", format="avi") as packed:
        track = packed.add_stream_from_template(source.streams.video[0])
        for old, side in zip(source.demux(video=0), sides, strict=False):
            packet = av.Packet(cv2.imencode(".jpg", np.zeros((side, side), np.uint8))[1].tobytes())
            packet.pts, packet.dts, packet.time_base = old.pts, old.dts, old.time_base
            packet.stream, packet.is_keyframe = track, True
            packed.mux_one(packet)
    return buffer.getvalue()


def sound_only(form: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form) as packed:
        track: Any = packed.add_stream("aac", rate=16000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
        silence.rate = 16000
        packed.mux(track.encode(silence))
        packed.mux(track.encode())
    return buffer.getvalue()


def without_frames(form: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(io.BytesIO(MP4)) as source, av.open(buffer, "w", format=form) as packed:
        packed.add_stream_from_template(source.streams.video[0])
        packed.start_encoding()
    return buffer.getvalue()


def mkv_with(element: bytes, value: bytes) -> bytes:
    at = MKV.index(element) + len(element)
    return MKV[:at] + value + MKV[at + len(value) :]


def gif_bomb(width: int, height: int, count: int) -> bytes:
    """Each frame says of one pixel what it is; all others stay."""
    content = bytearray(animation(PICTURES[:2], "GIF"))
    struct.pack_into("<HH", content, 6, width, height)
    frame = b"!\xf9\x04\x04\x01\x00\x00\x00,\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    return bytes(content[:-1]) + frame * count + b";"


def png_bomb(width: int, height: int, count: int) -> bytes:
    def part(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    head += part(b"acTL", struct.pack(">II", count, 0))
    first = part(b"fcTL", struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 10, 0, 0))
    return head + first + part(b"IDAT", zlib.compress(bytes((width + 1) * min(height, 100)))) + part(b"IEND", b"")


def cover_only() -> bytes:
    """A song with its picture, in an MP4: what shops sell."""
    song = sound_only("mp4")
    cover = cv2.imencode(".png", PICTURES[5])[1].tobytes()

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    items = box(b"ilst", box(b"covr", box(b"data", struct.pack(">II", 14, 0) + cover)))
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    extra = box(b"udta", box(b"meta", bytes(4) + handler + items))
    at = song.index(b"moov") - 4
    size = struct.unpack_from(">I", song, at)[0]
    return song[:at] + struct.pack(">I", size + len(extra)) + song[at + 4 : at + size] + extra


def encrypted_webm() -> bytes:
    """Say of the track of a WebM how it is encrypted, as web sites that sell films do."""

    def element(name: str, content: bytes) -> bytes:
        return bytes.fromhex(name) + (len(content) | 1 << 56).to_bytes(8, "big") + content

    def opened(content: bytes, at: int) -> tuple[int, int]:
        length = 9 - content[at].bit_length()
        size = int.from_bytes(content[at : at + length], "big") & (1 << 7 * length) - 1
        return at + length, at + length + size

    content = film(PICTURES, form="webm", codec="libvpx")
    key = element("47e1", b"\x05") + element("47e2", bytes(range(16)))
    encoding = element("6d80", element("6240", element("5033", b"\x01") + element("5035", key)))
    tracks = content.rindex(bytes.fromhex("1654ae6b"))
    _, ends = opened(content, tracks + 4)
    entry = re.search(rb"\xae.{1,8}\xd7\x81\x01", content, re.DOTALL).start()  # type: ignore[union-attr]
    first, last = opened(content, entry + 1)
    changed = element("1654ae6b", element("ae", content[first:last] + encoding))
    # Of the rest, which lies where it did, nothing is looked for by its place.
    return content[:tracks] + changed + content[ends:]


HUGE = struct.pack("<ii", 65535, 65535)
ASKS = (
    "The film's pictures are too large ({0} x {0} pixels); at most 8192 x 4608 are read: reduce it in a video program."
)
LIES = {
    "nothing": (b"", "The file is empty: make or download it anew."),
    "noughts": (bytes(4096), f"This is not a film in a known format: {KNOWN}"),
    "a text": (b"This is a letter.\n" * 9, f"This is a text, not a film: {KNOWN}"),
    "a picture": (cv2.imencode(".png", PICTURES[1])[1].tobytes(), f"This is a PNG picture {NO_MOVEMENT}"),
    "MP4, only sound": (sound_only("mp4"), NO_VIDEO),
    "MKV, only sound": (sound_only("matroska"), NO_VIDEO),
    "MP4, only sound and its cover": (cover_only(), NO_VIDEO),
    "MP4, no frame": (without_frames("mp4"), NO_VIDEO),
    "MKV, no frame": (without_frames("matroska"), DAMAGED),
    "AVI, no frame": (without_frames("avi"), NO_PICTURE),
    "MP4, encrypted": (
        film(
            PICTURES,
            container={"encryption_scheme": "cenc-aes-ctr", "encryption_key": "0" * 32, "encryption_kid": "1" * 32},
        ),
        ENCRYPTED,
    ),
    "MP4, encrypted, no key named": (MP4.replace(b"avc1", b"encv"), ENCRYPTED),
    "MOV, encrypted by Apple": (MP4.replace(b"avc1", b"drmi"), ENCRYPTED),
    "WebM, encrypted": (encrypted_webm(), ENCRYPTED),
    "GIF, cut off in its first picture": (animation(PICTURES, "GIF")[:60], ANIMATION_DAMAGED),
    "PNG, of whose first picture the bytes are others": (
        patched(animation(PICTURES, "PNG"), b"IDAT", 6, bytes(12)),
        ANIMATION_DAMAGED,
    ),
    "MP4, cut off in the index that it begins with": (index_first(MP4)[:400], NO_INDEX),
    "MP4, cut off further on in that index": (index_first(MP4)[:630], NO_INDEX),
    "GIF, cut off in its header": (b"GIF89a\x40", ANIMATION_DAMAGED),
    "PNG, whose first picture is damaged": (animation(PICTURES, "PNG")[:90] + bytes(4000), ANIMATION_DAMAGED),
    "MP4, coded in an unknown way": (
        MP4.replace(b"avc1", b"zzz9"),
        "The film is coded in a way that is not known here: convert it to MP4 (H.264).",
    ),
    "MKV, coded in a way that is not read": (
        film(PICTURES, form="matroska", codec="ffv1"),
        "The film is coded as ffv1, which is not read: convert it to MP4 (H.264).",
    ),
    "AVI, pictures of 65535 pixels": (patched(UNCOMPRESSED, b"strf", 12, HUGE), NO_PICTURE),
    "AVI, pictures of 9000 pixels": (
        patched(UNCOMPRESSED, b"strf", 12, struct.pack("<ii", 9000, 9000)),
        ASKS.format(9000),
    ),
    "AVI, JPEGs of 8200 pixels": (of_jpegs(8200, 8200, 8200), ASKS.format(8200)),
    "MP4, 3,000 tracks": (with_many_tracks(3000), DAMAGED),
    "MP4, 300 tracks": (with_many_tracks(300), NO_PICTURE),
    "MP4, two thousand million frames": (patched(MP4, b"stsz", 12, b"\x7f\xff\xff\xff"), DAMAGED),
    "MP4, two thousand million times": (patched(MP4, b"stts", 8, b"\x7f\xff\xff\xff"), DAMAGED),
    "MP4, frames of two gigabytes": (patched(MP4, b"stsz", 8, b"\x7f\xff\xff\xff"), NO_PICTURE),
    "GIF, 65,000 frames of 8000 x 4000": (
        gif_bomb(8000, 4000, 65000),
        "The animated picture is too long for its size (65,002 of 8000 x 4000 pixels): make it a film (MP4).",
    ),
    "GIF of 65535 pixels": (
        gif_bomb(65535, 65535, 9),
        "This is a GIF picture that is too large: reduce it in a photo program.",
    ),
    "GIF of 9000 pixels": (gif_bomb(9000, 9000, 9), ASKS.format(9000)),
    "PNG of two thousand million frames": (
        png_bomb(800, 400, 2**31 - 1),
        "The animated picture is too long for its size (2,147,483,647 of 800 x 400 pixels): make it a film (MP4).",
    ),
    "PNG of 60000 pixels": (
        png_bomb(60000, 60000, 9),
        "This is a PNG picture that is too large: reduce it in a photo program.",
    ),
}


@pytest.mark.hostile("a sentence for its own cause; bounded time and memory")
@pytest.mark.parametrize("name", LIES)
def test_what_cannot_be_a_film_is_refused_for_its_cause(name: str, reader: Reader) -> None:
    content, sentence = LIES[name]
    assert reader.outcome(content, 0.0) == f"refused: {sentence}"
    with pytest.raises(FilmError) as told, open_film(content) as opened:
        list(opened.frames())
    assert str(told.value) == sentence


FLOAT_SECONDS = b"\x44\x89\x88"
EXAGGERATED = {
    "MP4, pictures of 65535 pixels": patched(MP4, b"avc1", 28, b"\xff\xff\xff\xff"),
    "MP4, shown as 32767 pixels": patched(MP4, b"tkhd", 80, b"\x7f\xff\0\0\x7f\xff\0\0"),
    "MP4, endless": patched(MP4, b"mvhd", 16, b"\xff\xff\xff\xff"),
    "MP4, no time base": patched(MP4, b"mdhd", 12, bytes(4)),
    "MP4, no time base of the whole": patched(MP4, b"mvhd", 12, bytes(4)),
    "MKV, endless": mkv_with(FLOAT_SECONDS, struct.pack(">d", float("inf"))),
    "MKV, of a length that is no number": mkv_with(FLOAT_SECONDS, struct.pack(">d", float("nan"))),
    "MKV, of 1e300 seconds": mkv_with(FLOAT_SECONDS, struct.pack(">d", 1e300)),
    "MKV, no time base": mkv_with(b"\x2a\xd7\xb1\x83", bytes(3)),
    "AVI, no rate": patched(AVI, b"strh", 28, bytes(8)),
    "AVI, a thousand million frames a second": patched(AVI, b"strh", 28, struct.pack("<II", 1, 10**9)),
    "AVI, a frame in thirty years": patched(AVI, b"strh", 28, struct.pack("<II", 10**9, 1)),
}


@pytest.mark.hostile("the film, all of it")
@pytest.mark.parametrize("name", EXAGGERATED)
def test_a_film_that_exaggerates_is_read_as_what_it_is(name: str, reader: Reader) -> None:
    assert reader.outcome(EXAGGERATED[name], 0.0) == f"read: {len(PICTURES)} "
    with open_film(EXAGGERATED[name]) as opened:
        assert (opened.width, opened.height) in ((64, 48), (48, 48))
        assert 0.1 <= opened.rate <= 480
        assert 0 <= opened.duration < 7 * 24 * 3600


@pytest.mark.hostile("the other frames, and that two pieces are damaged")
def test_frames_that_become_enormous_are_left_out(reader: Reader) -> None:
    told = reader.outcome(of_jpegs(48, 8192, 48, 8192, 48), 0.0)
    assert told == "read: 3 2 pieces of the film are damaged and were left out."


@pytest.mark.slow
@pytest.mark.hostile("the film")
def test_many_frames_of_the_largest_size_are_never_there_at_once(reader: Reader) -> None:
    assert reader.outcome(of_jpegs(*[6000] * 10), 0.0) == "read: 10 "


@pytest.mark.hostile("the film")
def test_names_that_are_no_text_are_read_over() -> None:
    content = film(PICTURES, form="matroska").replace(b"Lavf", b"\xff\xfe\xc3\x28")
    with open_film(content) as opened:
        assert len(list(opened.frames())) == len(PICTURES)


@pytest.mark.hostile("what could be read of it, or a sentence")
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_damaged_films_are_read_or_refused(seed: int, reader: Reader) -> None:
    """`python -m tests.fuzz film` goes on with this."""
    generator = random.Random(seed)
    seeds = [MP4, MKV, AVI, TS, animation(PICTURES, "GIF"), animation(PICTURES, "WEBP")]
    for _ in range(50):
        content = spoilt(generator.choice(seeds), generator.choice(seeds), generator)
        assert reader.outcome(content, 0.0).startswith(("read", "refused")), content.hex()


@pytest.mark.hostile("that the film names other files, which are not opened")
def test_whatever_ffmpeg_asks_to_open_is_refused() -> None:
    with pytest.raises(FilmError, match="names other files, which are not opened"):
        inputs._nothing_else("file:/etc/passwd", 1, {})


@pytest.mark.hostile("The file is larger than 200 MB, too large for a GIF picture: use a film")
def test_an_enormous_animated_picture_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "MAX_IMAGE_FILE_BYTES", 1000)
    with (
        pytest.raises(FilmError, match=r"^The file is larger than 0 MB, too large for a GIF picture: use a film\.$"),
        open_film(animation(PICTURES, "GIF") + bytes(1000)),
    ):
        pass


@pytest.mark.hostile("The film's pictures cannot be converted: convert it to MP4 (H.264)")
def test_pictures_that_cannot_be_converted_are_told() -> None:
    class Strange:
        width, height, interlaced_frame, rotation, side_data = 64, 48, False, 0, MappingProxyType({})

        def to_ndarray(self, **_: object) -> None:
            raise ValueError("unknown pixel format")

    with pytest.raises(FilmError, match=r"^The film's pictures cannot be converted: convert it to MP4 \(H\.264\)\.$"):
        Forms(1.0).of(Strange()).picture(Strange())
