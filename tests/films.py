"""Films of every kind that people bring, encoded on the spot from pictures that a test makes."""

import io
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from functools import wraps
from typing import Any, ParamSpec

import av
import numpy as np
from av.codec.context import Flags
from numpy.typing import NDArray
from PIL import Image

os.environ.setdefault("SVT_LOG", "1")  # it writes to the standard error otherwise

Picture = NDArray[np.uint8]
"""(height, width, 3), uint8, blue-green-red."""

Settings = ParamSpec("Settings")

BLOCK = 16
"""Pixels."""


@dataclass(frozen=True)
class FilmKind:
    """A container and a codec, as `film` takes them, in 64 x 48 pixels."""

    form: str
    codec: str
    options: Mapping[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    sound: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        return {"form": self.form, "codec": self.codec, "pixels": self.pixels, "options": dict(self.options)}


_B_FRAMES = {"bf": "2", "g": "24"}
_OPEN_GOP = {"x264-params": "open-gop=1:keyint=24:bframes=3:b-pyramid=normal"}
_HEVC = {"x265-params": "log-level=none:keyint=24:open-gop=1:pools=none:frame-threads=1"}
_HIDDEN = {"g": "24", "auto-alt-ref": "1", "lag-in-frames": "10", "cpu-used": "8"}
_AV1 = {"svtav1-params": "keyint=24", "preset": "8", "crf": "10"}
KINDS = {
    "MP4 H.264": FilmKind("mp4", "libx264", _B_FRAMES, sound=True),
    "MP4 H.264 open GOPs": FilmKind("mp4", "libx264", _OPEN_GOP),
    "MOV H.264": FilmKind("mov", "libx264", {"g": "24"}),
    "MKV H.264": FilmKind("matroska", "libx264", _B_FRAMES),
    "TS H.264": FilmKind("mpegts", "libx264", _B_FRAMES),
    "AVI H.264": FilmKind("avi", "libx264", _B_FRAMES),
    "FLV H.264": FilmKind("flv", "libx264", _B_FRAMES, sound=True),
    "MP4 HEVC": FilmKind("mp4", "libx265", _HEVC),
    "MKV HEVC 10 bits": FilmKind("matroska", "libx265", _HEVC, "yuv420p10le"),
    "TS HEVC": FilmKind("mpegts", "libx265", _HEVC),
    "WebM VP8": FilmKind("webm", "libvpx", _HIDDEN),
    "Ogg VP8": FilmKind("ogg", "libvpx", {"g": "24"}),
    "WebM VP9": FilmKind("webm", "libvpx-vp9", _HIDDEN),
    "MP4 VP9": FilmKind("mp4", "libvpx-vp9", _HIDDEN),
    "WebM AV1": FilmKind("webm", "libsvtav1", _AV1),
    "MP4 AV1": FilmKind("mp4", "libsvtav1", _AV1),
    "AVI Motion JPEG": FilmKind("avi", "mjpeg", {}, "yuvj420p"),
    "MOV Motion JPEG": FilmKind("mov", "mjpeg", {}, "yuvj420p"),
    "AVI MPEG-4": FilmKind("avi", "mpeg4", _B_FRAMES),
    "MP4 MPEG-4": FilmKind("mp4", "mpeg4", _B_FRAMES),
    "AVI MS-MPEG-4": FilmKind("avi", "msmpeg4", {"g": "24"}),
    "TS MPEG-2": FilmKind("mpegts", "mpeg2video", {"bf": "2", "g": "12"}, sound=True),
    "VOB MPEG-2": FilmKind("vob", "mpeg2video", {"bf": "2", "g": "12"}),
    "MPEG-2 alone": FilmKind("mpeg2video", "mpeg2video", {"g": "12"}),
    "MOV ProRes": FilmKind("mov", "prores_ks", {}, "yuv422p10le"),
    "WMV": FilmKind("asf", "wmv2", {"g": "24"}),
    "FLV H.263": FilmKind("flv", "flv", {"g": "24"}),
    "AVI without compression": FilmKind("avi", "rawvideo", {}, "bgr24"),
}
"""What cameras, phones, programs and web sites write."""


def numbered(number: int) -> Picture:
    """Give a picture, 64 x 48 pixels, of twelve blocks: a number, up to 4095, from the top left on."""
    bits = np.array([number >> bit & 1 for bit in range(12)], np.uint8).reshape(3, 4)
    shades: Picture = np.where(np.kron(bits, np.ones((BLOCK, BLOCK), np.uint8)) > 0, 230, 20).astype(np.uint8)
    return np.repeat(shades[:, :, None], 3, axis=2)


def number_of(picture: Picture) -> int:
    """Read the number of a picture, whatever its size."""
    height, width = picture.shape[:2]
    grey = picture.mean(axis=2)
    number = 0
    for bit in range(12):
        row, column = divmod(bit, 4)
        rows = slice(int((row + 0.3) * height / 3), int((row + 0.7) * height / 3))
        columns = slice(int((column + 0.3) * width / 4), int((column + 0.7) * width / 4))
        number |= int(grey[rows, columns].mean() > 125) << bit
    return number


def on_a_thread_of_its_own(encode: Callable[Settings, bytes]) -> Callable[Settings, bytes]:
    """Keep what this does to its thread from whatever is started later.

    SVT-AV1 (4.1) gives the thread that it is called on the highest priority there is, where root calls it, and leaves
    it that: servers and browsers that this thread starts would run before everything else on the machine.
    """

    @wraps(encode)
    def encoded(*arguments: Settings.args, **options: Settings.kwargs) -> bytes:
        with ThreadPoolExecutor(1) as own:
            return own.submit(encode, *arguments, **options).result()

    return encoded


@on_a_thread_of_its_own
def film(
    pictures: Iterable[Picture],
    *,
    form: str = "mp4",
    codec: str = "libx264",
    rate: int = 30,
    stamps: Sequence[float] | None = None,
    pixels: str = "yuv420p",
    turned: int | Sequence[int] = 0,
    aspect: Fraction | None = None,
    interlaced: bool = False,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    sound: bool = False,
) -> bytes:
    """Encode pictures.

    Parameters
    ----------
    pictures : iterable of ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    stamps : sequence of float, seconds; by default, each picture one `rate`-th after the one before
    turned : int, degrees, of the display matrix, counter-clockwise; or its nine numbers
    interlaced : bool, whether the rows of each picture are of two moments
    options : dict, the encoder's
    container : dict, the options of what the film is packed in
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form, options=container or {}) as packed:
        stream: Any = packed.add_stream(codec, rate=rate, options=options or {})
        base = Fraction(1, 1000 if stamps is not None else rate)
        stream.codec_context.time_base = base
        track: Any = packed.add_stream("aac", rate=16000) if sound else None
        for number, picture in enumerate(pictures):
            if not number:
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = pixels
                if aspect is not None:
                    stream.codec_context.sample_aspect_ratio = aspect
                if interlaced:
                    stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
                if not isinstance(turned, int):
                    stream.set_display_matrix(turned)
                elif turned:
                    stream.set_display_rotation(turned)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "bgr24").reformat(
                format=pixels, threads=1
            )
            frame.pts = number if stamps is None else round(1000 * stamps[number])
            frame.time_base = base
            packed.mux(stream.encode(frame))
        packed.mux(stream.encode())
        if track is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
            silence.rate = 16000
            packed.mux(track.encode(silence))
            packed.mux(track.encode())
    return buffer.getvalue()


def animation(pictures: Sequence[Picture], form: str, milliseconds: int | list[int] = 100) -> bytes:
    frames = [Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1])) for picture in pictures]
    buffer = io.BytesIO()
    frames[0].save(buffer, form, save_all=True, append_images=frames[1:], duration=milliseconds, loop=0)
    return buffer.getvalue()


def index_first(content: bytes) -> bytes:
    """Put the index of an MP4 or MOV before its pictures, as what is meant for web sites has it."""
    boxes, at = {}, 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        boxes[content[at + 4 : at + 8]] = content[at : at + size]
        at += size
    index = bytearray(boxes.pop(b"moov"))
    for found in re.finditer(b"stco", bytes(index)):
        at = found.end() + 4
        for place in range(at + 4, at + 4 + 4 * int.from_bytes(index[at : at + 4], "big"), 4):
            index[place : place + 4] = (int.from_bytes(index[place : place + 4], "big") + len(index)).to_bytes(4, "big")
    return boxes.pop(b"ftyp") + bytes(index) + b"".join(boxes.values())
