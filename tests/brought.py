"""Files of every kind that people bring, made on the spot: contents by the name of the kind."""

import gzip
import io
import json
import struct
import wave
import zipfile
from functools import cache

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray
from PIL import Image

from emotion import config
from tests.heic import heic
from tests.synthetic import VOTES_COLUMNS

GREY: NDArray[np.uint8] = np.random.default_rng(0).integers(60, 200, (48, 48), dtype=np.uint8)


def picture(form: str, **options: object) -> bytes:
    """A face as somebody cut it out: 48x48 pixels."""
    buffer = io.BytesIO()
    Image.fromarray(GREY).convert("RGB").save(buffer, form, **options)
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return buffer.getvalue()


def film(form: str, codec: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form) as container:
        stream = container.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 * number, np.uint8), "rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def sound() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    return buffer.getvalue()


def numpy_file(*arrays: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    if len(arrays) == 1:
        np.save(buffer, arrays[0])
    else:
        np.savez(buffer, *arrays)
    return buffer.getvalue()


def parquet(**columns: list[object]) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def table_of_faces(delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    head = delimiter.join([*(f"{i}_px" for i in range(config.N_PIXELS)), "emotion"])
    rows = [delimiter.join([*map(str, np.roll(GREY.ravel(), 7 * n)), ("Happy", "Sad")[n % 2]]) for n in range(4)]
    return "\n".join([head, *rows, ""]).encode(encoding)


def fer2013(head: str = "emotion,pixels,Usage") -> bytes:
    rows = [{"emotion": str(3 + n % 2), "pixels": " ".join(map(str, np.roll(GREY.ravel(), 7 * n)))} for n in range(4)]
    lines = [",".join(row.get(column.strip(), "Training") for column in head.split(",")) for row in rows]
    return "\n".join([head, *lines, ""]).encode()


def camera_raw() -> bytes:
    """The beginning of a DNG: a TIFF that says which version of Adobe's specification it follows."""
    tags = [(0x00FE, 4, 1, 1), (0x0100, 4, 1, 16), (0x0101, 4, 1, 16), (0xC612, 1, 4, 0x00000401)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(200)


@cache
def brought() -> dict[str, bytes]:
    """All of them: of pictures that are read, each shows a face of 48x48 pixels."""
    jpeg = picture("JPEG")
    votes = ",".join(["file", *VOTES_COLUMNS]) + "\na.png," + ",".join("1" for _ in VOTES_COLUMNS) + "\n"
    return {
        "JPEG": jpeg,
        "JPEG that lacks its end": jpeg[:-2],
        "PNG": picture("PNG"),
        "GIF": picture("GIF"),
        "WebP": picture("WEBP"),
        "BMP": picture("BMP"),
        "TIFF": picture("TIFF"),
        "PNM": picture("PPM"),
        "AVIF": picture("AVIF"),
        "HEIC": heic(np.ascontiguousarray(np.repeat(GREY[:, :, None], 3, axis=2))),
        "JPEG XL": b"\xff\x0a" + bytes(60),
        "JPEG XL in boxes": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(60),
        "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
        "RAW": camera_raw(),
        "RAW of Canon": b"II*\0\x10\0\0\0CR\x02\0" + bytes(200),
        "RAW of Canon, newer": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(200),
        "RAW of Fujifilm": b"FUJIFILMCCD-RAW 0201" + bytes(200),
        "SVG": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
        "Photoshop": b"8BPS\0\1" + bytes(60),
        "icon": b"\0\0\1\0\1\0" + bytes(60),
        "DICOM": bytes(128) + b"DICM" + bytes(60),
        "PDF": b"%PDF-1.7\n1 0 obj",
        "film, MP4": film("mp4", "mpeg4"),
        "film, QuickTime": film("mov", "mpeg4"),
        "film, WebM": film("webm", "libvpx"),
        "film, AVI": film("avi", "mpeg4"),
        "film, MPEG-TS": film("mpegts", "mpeg2video"),
        "playlist": b"#EXTM3U\n#EXT-X-VERSION:3\n",
        "sound": sound(),
        "web page": b"<!DOCTYPE html>\n<html><head><title>Me</title></head><body>me</body></html>",
        "web page of Windows": "\ufeff<html><body>Grüße</body></html>".encode("utf-16"),
        "JSON": json.dumps({"faces": [1, 2]}).encode(),
        "XML": b'<?xml version="1.0"?>\n<annotation><object/></annotation>',
        "text": b"Notes of mine.\nNothing to see.\n",
        "picture as a text": b"data:image/png;base64,iVBORw0KGgo=",
        "CSV": b"name,age\nann,31\nbob,40\n",
        "CSV of Windows": "Name;Größe\r\nAnn;1,70\r\nBob;1,80\r\n".encode("windows-1252"),
        "CSV in UTF-16": "name\tage\nann\t31\nbob\t40\n".encode("utf-16"),
        "table of faces": table_of_faces(),
        "table of faces, semicolons, UTF-16": table_of_faces(";", "utf-16"),
        "table of faces, packed": gzip.compress(table_of_faces(), mtime=0),
        "FER2013's table": fer2013(),
        "FER2013's table, blank-led": fer2013("emotion, Usage, pixels"),
        "FER+'s votes": votes.encode(),
        "Parquet": parquet(name=["ann"], age=[31]),
        "Excel": zipped(_Content_Types__xml=b"<Types/>", xl__workbook_xml=b"<workbook/>"),
        "Office of before 2007": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60),
        "Word": zipped(word__document_xml=b"<document/>"),
        "zip": zipped(happy__a_png=picture("PNG")),
        "gzip": gzip.compress(b"notes of mine", mtime=0),
        "7z": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(60),
        "RAR": b"Rar!\x1a\x07\x01\0" + bytes(60),
        "NumPy": numpy_file(GREY),
        "NumPy archive": numpy_file(GREY, GREY),
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(60),
        "ONNX": (config.MODELS / "pipeline_1.onnx").read_bytes(),
        "pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0",
        "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
        "program": b"\x7fELF" + bytes(200),
        "nothing": b"",
        "noughts": bytes(500),
        "noise": np.random.default_rng(1).bytes(500),
    }
