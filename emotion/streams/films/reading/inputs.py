"""A film's file -> FFmpeg's container, by PyAV: the only place that opens films.

FFmpeg opens whatever it takes a file for, and a playlist makes it open others of this machine. So a film is opened from
a file object of our own, as what its first bytes are, and nothing else is opened for it.
"""

import logging
from collections.abc import Sequence
from typing import Any, BinaryIO, Final

import av
from av.stream import Disposition

from emotion.errors import FilmError, NoVideoError
from emotion.faces.files.kinds import Kind
from emotion.streams.films.reading.containers import View, is_encrypted, lacks_index
from emotion.streams.films.reading.frames import MOST_PIXELS, check_size

log = logging.getLogger(__name__)

DECODERS: Final = (
    *("h264", "hevc", "vp8", "vp9", "libvpx-vp9", "av1", "libdav1d", "mpeg4", "mjpeg", "prores", "theora", "vc1"),
    *("mpeg1video", "mpeg2video", "h263", "flv", "msmpeg4", "msmpeg4v2", "wmv1", "wmv2", "wmv3", "dvvideo", "rawvideo"),
)
"""Of FFmpeg's, those that are used: what cameras, phones and programs write."""

FAILS: Final = (av.error.FFmpegError, MemoryError)
"""FFmpeg asks for as much memory as a damaged film says that it needs."""
ELSEWHERE: Final = "The film names other files, which are not opened: use a film that is whole in itself."
_MOST_PROBED_PIXELS: Final = 4 * MOST_PIXELS
"""Of larger pictures FFmpeg does not say the size."""
_ENCRYPTED: Final = "The film is encrypted, as shops and streaming services sell them: it cannot be read."
_KEY: Final = "enc_key_id"
"""What FFmpeg says of a track of Matroska or WebM that is encrypted."""
_DAMAGED: Final = "The film is damaged or incomplete; use another copy of it."
NO_INDEX: Final = (
    "The film's index, which cameras write last, is missing: it was cut off, or its recording was not ended. "
    "Copy it anew."
)


def is_film(kind: Kind) -> bool:
    """Tell whether files of a kind are opened as films, though they may hold nothing but sound."""
    return kind.family == "film" and bool(kind.opens_as)


def open_container(source: BinaryIO, kind: Kind, decoders: Sequence[str] = DECODERS) -> Any:
    """Open a film's file with PyAV, and nothing that it may name.

    Parameters
    ----------
    source : binary file that can seek
    kind : Kind, for which `is_film` is true
    decoders : sequence of str, those of FFmpeg's that may be used

    Returns
    -------
    container of PyAV

    Raises
    ------
    FilmError
        If it is damaged or encrypted.
    """
    is_mov = kind.opens_as == "mov"
    if is_mov and is_encrypted(source):
        raise FilmError(_ENCRYPTED)
    try:
        container = av.open(
            View(source),
            format=kind.opens_as,
            options={
                "codec_whitelist": ",".join(decoders),
                "protocol_whitelist": "none",
                "max_pixels": str(_MOST_PROBED_PIXELS),
            },
            io_open=_nothing_else,
            metadata_errors="replace",
        )
    except FAILS as error:
        log.info("a film could not be opened", exc_info=True)
        raise FilmError(NO_INDEX if is_mov and lacks_index(source) else _DAMAGED) from error
    try:
        video_of(container)
    except FilmError:
        if is_mov and lacks_index(source):
            raise FilmError(NO_INDEX) from None
        raise
    return container


def _nothing_else(url: str, *_: Any) -> Any:
    raise FilmError(ELSEWHERE)


def video_of(container: Any) -> Any:
    """Choose what is to be looked at: the video that is played by default, and no picture on a cover."""
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)
    ]
    if not streams:
        raise NoVideoError("The file has no video track, only sound or nothing: use a film with pictures.")
    stream = max(streams, key=lambda each: bool(each.disposition & Disposition.default))
    context = stream.codec_context
    if _KEY in stream.metadata:
        raise FilmError(_ENCRYPTED)
    if context is None:
        raise FilmError("The film is coded in a way that is not known here: convert it to MP4 (H.264).")
    if context.name not in DECODERS:
        raise FilmError(f"The film is coded as {context.name}, which is not read: convert it to MP4 (H.264).")
    check_size(context.width, context.height)
    return stream
