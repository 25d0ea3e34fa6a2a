"""Films of every kind that people bring, encoded on the spot from pictures that a test makes."""

import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
"""(height, width, 3), uint8, blue-green-red."""


def film(
    pictures: Iterable[Picture],
    *,
    form: str = "mp4",
    codec: str = "libx264",
    rate: int = 30,
    stamps: Sequence[float] | None = None,
    pixels: str = "yuv420p",
    turned: int = 0,
    aspect: Fraction | None = None,
    interlaced: bool = False,
    options: dict[str, str] | None = None,
    sound: bool = False,
) -> bytes:
    """Encode pictures.

    Parameters
    ----------
    pictures : iterable of ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    stamps : sequence of float, seconds; by default, each picture one `rate`-th after the one before
    turned : int, degrees, of the display matrix, counter-clockwise
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options or {})
        base = Fraction(1, 1000 if stamps is not None else rate)
        stream.codec_context.time_base = base
        track: Any = container.add_stream("aac", rate=16000) if sound else None
        for number, picture in enumerate(pictures):
            if not number:
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = pixels
                if aspect is not None:
                    stream.codec_context.sample_aspect_ratio = aspect
                if turned:
                    stream.set_display_rotation(turned)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "bgr24").reformat(format=pixels)
            frame.pts = number if stamps is None else round(1000 * stamps[number])
            frame.time_base = base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if track is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
            silence.rate = 16000
            container.mux(track.encode(silence))
            container.mux(track.encode())
    return buffer.getvalue()


def animation(pictures: Sequence[Picture], form: str, milliseconds: int | list[int] = 100) -> bytes:
    frames = [Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1])) for picture in pictures]
    buffer = io.BytesIO()
    frames[0].save(buffer, form, save_all=True, append_images=frames[1:], duration=milliseconds, loop=0)
    return buffer.getvalue()
