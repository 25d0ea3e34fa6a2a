"""HEIC pictures, which no library that is installed here writes: one frame of HEVC in the boxes of ISO/IEC 23008-12."""

import io
import struct

import av
import numpy as np
from numpy.typing import NDArray


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full_box(kind: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *content)


def _frame(image_bgr: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """Encode one frame; give the box with the decoder's settings, and the coded picture."""
    film = io.BytesIO()
    with av.open(film, "w", format="mp4") as container:
        stream = container.add_stream("libx265", rate=1, options={"x265-params": "log-level=none:info=0", "crf": "8"})
        stream.height, stream.width = image_bgr.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.flags |= av.codec.context.Flags.global_header
        frame = av.VideoFrame.from_ndarray(image_bgr, "bgr24")
        frame.pts = 0
        for packet in [*stream.encode(frame), *stream.encode()]:
            packet.dts = packet.pts
            container.mux(packet)
    content = film.getvalue()
    at = content.index(b"hvcC") - 4
    settings = content[at : at + struct.unpack_from(">I", content, at)[0]]
    at = content.index(b"mdat") - 4
    return settings, content[at + 8 : at + struct.unpack_from(">I", content, at)[0]]


def heic(image_bgr: NDArray[np.uint8], quarter_turns: int = 0) -> bytes:
    """Write a HEIC file.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, both sides even
    quarter_turns : int, 0-3, by which a reader is to turn it, against the clock

    Returns
    -------
    bytes
    """
    settings, coded = _frame(image_bgr)
    height, width = image_bgr.shape[:2]
    properties = [
        settings,
        _full_box(b"ispe", struct.pack(">II", width, height)),
        _box(b"irot", bytes([quarter_turns])),
    ]
    associations = struct.pack(">IHB3B", 1, 1, 3, 0x81, 0x02, 0x83)  # the settings and the turn must be understood
    ftyp = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(offset: int) -> bytes:
        return _full_box(
            b"meta",
            _full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            _full_box(b"pitm", struct.pack(">H", 1)),
            _full_box(b"iloc", bytes([0x44, 0]), struct.pack(">HHHHII", 1, 1, 0, 1, offset, len(coded))),
            _full_box(
                b"iinf", struct.pack(">H", 1), _full_box(b"infe", struct.pack(">HH", 1, 0), b"hvc1\0", version=2)
            ),
            _box(b"iprp", _box(b"ipco", *properties), _full_box(b"ipma", associations)),
        )

    return ftyp + meta(len(ftyp) + len(meta(0)) + 8) + _box(b"mdat", coded)
