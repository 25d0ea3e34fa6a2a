"""What a file is, by its first bytes and never by its name: the one rule for what is a picture, a film, a table.

Signatures are those of the formats' own specifications, as the list of file signatures at
https://en.wikipedia.org/wiki/List_of_file_signatures refers to them.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from emotion.errors import ImageError
from emotion.faces.files.texts import FIRST_BYTES, TextForm, is_table, text_form, text_of

Family = Literal["picture", "other picture", "film", "sound", "page", "table", "archive", "model", "text", "other"]


@dataclass(frozen=True)
class Kind:
    """What a file is.

    Attributes
    ----------
    name : str, with its article, as in "a film"
    family : Family; "picture" for what is read as one, "other picture" for formats that are not
    advice : str, what to do where a picture was asked for; empty for a picture
    opens_as : str, for a picture the name of Pillow's decoder, for a film that of FFmpeg's demuxer
    """

    name: str
    family: Family
    advice: str = ""
    opens_as: str = ""


class NotAPictureError(ImageError):
    """A file of another kind stands where a picture was asked for.

    Attributes
    ----------
    kind : Kind
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        if kind in (EMPTY, UNKNOWN):
            told = f"{kind.name}: {kind.advice}."
        elif kind.family == "other picture":
            told = f"This is {kind.name}, which is not read: {kind.advice}."
        else:
            told = f"This is {kind.name}, not a picture: {kind.advice}."
        super().__init__(told)


def _picture(name: str, opens_as: str) -> Kind:
    return Kind(name, "picture", opens_as=opens_as)


_AS_JPEG: Final = "save it as JPEG or PNG"
_STILL: Final = "save a single picture of it as JPEG or PNG"
_FILM_ADVICE: Final = f"stop it where the face shows and {_STILL}"
_UNPACK: Final = "unpack it, and use the pictures in it"
_RAW: Final = Kind(
    "a RAW picture of a camera", "other picture", "export it as JPEG from the camera's or a photo program"
)
_EXPORT: Final = "pictures in it have to be saved as JPEG or PNG files first"
_NO_USE: Final = "choose a picture file, such as JPEG or PNG"

EMPTY: Final = Kind("The file is empty", "other", "make or download it anew")
UNKNOWN: Final = Kind(
    "This is not a picture in a known format", "other", "use JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
)
WEB_PAGE: Final = Kind(
    "a web page", "page", "copy the picture's own address, or save the picture and use the file that this gives"
)
ZIP: Final = Kind("a zip archive", "archive", _UNPACK)
GZIP: Final = Kind("a gzip archive", "archive", _UNPACK)
PARQUET: Final = Kind("a Parquet table", "table", "train and evaluate take it with --data")
EXCEL: Final = Kind("an Excel table", "table", _EXPORT)
OLD_OFFICE: Final = Kind("an Office document of before 2007", "other", _EXPORT)
OPEN_DOCUMENT: Final = Kind("an OpenDocument file", "other", _EXPORT)
NUMPY: Final = Kind("a NumPy array", "table", _EXPORT)
CSV_TABLE: Final = Kind("a table as text (CSV)", "table", _NO_USE)
FACE_TABLE: Final = Kind("a table of faces", "table", "train and evaluate take it with --data")
FER2013_TABLE: Final = Kind("FER2013's own table of faces", "table", "train and evaluate take it with --data")
VOTES_TABLE: Final = Kind("FER+'s table of votes", "table", "train and evaluate take it with --votes")
LFS_POINTER: Final = Kind(
    "a Git LFS pointer, which stands for a file that was not downloaded", "other", "get the file with: git lfs pull"
)
TEXT: Final = Kind("a text", "text", _NO_USE)
JSON: Final = Kind("a JSON text", "text", _NO_USE)
SVG: Final = Kind("an SVG drawing", "other picture", "save it as PNG")
SOUND: Final = Kind("a sound", "sound", _NO_USE)
ONNX: Final = Kind("an ONNX model", "model", _NO_USE)


def _film(opens_as: str, name: str = "a film") -> Kind:
    return Kind(name, "film", _FILM_ADVICE, opens_as)


_MOV: Final = _film("mov")
_MPEG_TS: Final = _film("mpegts")
_JPEG: Final = _picture("a JPEG picture", "JPEG")
_PNG: Final = _picture("a PNG picture", "PNG")
_TIFF: Final = _picture("a TIFF picture", "TIFF")
_HEIC: Final = _picture("a HEIC picture", "HEIF")
_AVIF: Final = _picture("an AVIF picture", "AVIF")
_WEBP: Final = _picture("a WebP picture", "WEBP")

_SIGNATURES: Final[tuple[tuple[int, bytes, Kind], ...]] = (
    (0, b"\xff\xd8\xff", _JPEG),
    (0, b"\x89PNG\r\n\x1a\n", _PNG),
    (0, b"GIF87a", _picture("a GIF picture", "GIF")),
    (0, b"GIF89a", _picture("a GIF picture", "GIF")),
    (8, b"WEBPVP8", _WEBP),
    (8, b"AVI ", _film("avi")),
    (8, b"WAVE", SOUND),
    (0, b"\x1a\x45\xdf\xa3", _film("matroska")),  # Matroska and WebM
    (0, b"FLV\x01", _film("flv")),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _film("asf")),  # Windows Media
    (0, b"\x00\x00\x01\xba", _film("mpeg")),  # MPEG
    (0, b"\x00\x00\x01\xb3", _film("mpegvideo")),
    (0, b"OggS", _film("ogg", "a film or sound (Ogg)")),
    (0, b"#EXTM3U", Kind("a playlist of a film", "film", _FILM_ADVICE)),
    (0, b"ID3", SOUND),
    (0, b"fLaC", SOUND),
    (0, b"#!AMR", SOUND),
    (0, b"MThd", SOUND),
    (8, b"AIFF", SOUND),
    (0, b"\xff\xfb", SOUND),
    (0, b"\xff\xf1", SOUND),
    (0, b"\xff\x0a", Kind("a JPEG XL picture", "other picture", _AS_JPEG)),
    (0, b"\x00\x00\x00\x0cJXL ", Kind("a JPEG XL picture", "other picture", _AS_JPEG)),
    (0, b"\x00\x00\x00\x0cjP  ", Kind("a JPEG 2000 picture", "other picture", _AS_JPEG)),
    (0, b"\xff\x4f\xff\x51", Kind("a JPEG 2000 picture", "other picture", _AS_JPEG)),
    (0, b"II\xbc\x01", Kind("a JPEG XR picture", "other picture", _AS_JPEG)),
    (0, b"8BPS", Kind("a Photoshop picture", "other picture", _AS_JPEG)),
    (0, b"gimp xcf", Kind("a GIMP picture", "other picture", _AS_JPEG)),
    (0, b"\x00\x00\x01\x00", Kind("an icon (ICO)", "other picture", _AS_JPEG)),
    (0, b"\x76\x2f\x31\x01", Kind("an OpenEXR picture", "other picture", _AS_JPEG)),
    (0, b"#?RADIANCE", Kind("a Radiance picture", "other picture", _AS_JPEG)),
    (0, b"DDS ", Kind("a DirectDraw picture", "other picture", _AS_JPEG)),
    (0, b"SIMPLE  =", Kind("a FITS picture", "other picture", _AS_JPEG)),
    (0, b"\x59\xa6\x6a\x95", Kind("a Sun raster picture", "other picture", _AS_JPEG)),
    (0, b"\x01\xda", Kind("an SGI picture", "other picture", _AS_JPEG)),
    (0, b"qoif", Kind("a QOI picture", "other picture", _AS_JPEG)),
    (128, b"DICM", Kind("a DICOM picture", "other picture", _AS_JPEG)),
    (0, b"%!PS", Kind("a PostScript drawing", "other picture", _AS_JPEG)),
    (0, b"\xc5\xd0\xd3\xc6", Kind("a PostScript drawing", "other picture", _AS_JPEG)),
    (8, b"CR\x02", _RAW),
    (0, b"FUJIFILMCCD-RAW", _RAW),
    (0, b"IIRO", _RAW),
    (0, b"IIRS", _RAW),
    (0, b"MMOR", _RAW),
    (0, b"IIU\x00", _RAW),
    (0, b"FOVb", _RAW),
    (0, b"\x00MRM", _RAW),
    (0, b"%PDF-", Kind("a PDF document", "other", _EXPORT)),
    (0, b"{\\rtf", Kind("a text document (RTF)", "other", _EXPORT)),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLD_OFFICE),
    (0, b"PAR1", PARQUET),
    (0, b"ARROW1", Kind("an Arrow table", "table", _EXPORT)),
    (0, b"\x93NUMPY", NUMPY),
    (0, b"\x89HDF\r\n\x1a\n", Kind("an HDF5 file", "table", _EXPORT)),
    (0, b"MATLAB 5.0 MAT-file", Kind("a MATLAB file", "table", _EXPORT)),
    (0, b"SQLite format 3\x00", Kind("a SQLite database", "table", _EXPORT)),
    (4, b"TFL3", Kind("a TensorFlow Lite model", "model", _NO_USE)),
    (0, b"\x80\x02", Kind("a Python pickle", "other", _NO_USE)),
    (0, b"\x80\x03", Kind("a Python pickle", "other", _NO_USE)),
    (0, b"\x80\x04\x95", Kind("a Python pickle", "other", _NO_USE)),
    (0, b"\x80\x05\x95", Kind("a Python pickle", "other", _NO_USE)),
    (0, b"PK\x05\x06", ZIP),
    (0, b"\x1f\x8b", GZIP),
    (0, b"BZh", Kind("a bzip2 archive", "archive", _UNPACK)),
    (0, b"\xfd7zXZ\x00", Kind("an xz archive", "archive", _UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", Kind("a Zstandard archive", "archive", _UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", Kind("a 7z archive", "archive", _UNPACK)),
    (0, b"Rar!\x1a\x07", Kind("a RAR archive", "archive", _UNPACK)),
    (257, b"ustar", Kind("a tar archive", "archive", _UNPACK)),
    (0, b"MZ\x90\x00", Kind("a program", "other", _NO_USE)),
    (0, b"\x7fELF", Kind("a program", "other", _NO_USE)),
)

_IN_ZIP: Final = (
    (b"xl/", EXCEL),
    (b"word/", Kind("a Word document", "other", _EXPORT)),
    (b"ppt/", Kind("a PowerPoint document", "other", _EXPORT)),
    (b"application/vnd.oasis.opendocument", OPEN_DOCUMENT),
    (b"data.pkl", Kind("a PyTorch model", "model", _NO_USE)),
    (b".npy", Kind("a NumPy archive", "table", _EXPORT)),
)

_BRANDS: Final = (
    ({b"crx "}, _RAW),
    ({b"avif", b"avis"}, _AVIF),
    ({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}, _HEIC),
    ({b"M4A ", b"M4B "}, SOUND),
)
"""Of the ISO base media format (ISO/IEC 14496-12), which films share with pictures: the brands that a file names."""

_FILM_BOXES: Final = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
"""With which a QuickTime film without brands begins."""


def kind_of(start: bytes) -> Kind:
    """Tell what a file is.

    Parameters
    ----------
    start : bytes, its first `FIRST_BYTES`, or all where it is shorter

    Returns
    -------
    Kind; `UNKNOWN` where it is none that is known, `EMPTY` where there are no bytes
    """
    if not start:
        return EMPTY
    for place, signature, kind in _SIGNATURES:
        if start.startswith(signature, place):
            return kind
    for judge in (_by_structure, _by_text):
        if (found := judge(start[:FIRST_BYTES])) is not None:
            return found
    return UNKNOWN


def check_picture(start: bytes) -> Kind:
    """Refuse what is no picture that is read.

    Parameters
    ----------
    start : bytes, as for `kind_of`

    Returns
    -------
    Kind, of the family "picture"

    Raises
    ------
    NotAPictureError
        If it is anything else; the text says what it is, and what to do.
    """
    kind = kind_of(start)
    if kind.family != "picture":
        raise NotAPictureError(kind)
    return kind


def _by_structure(start: bytes) -> Kind | None:
    if start[4:8] == b"ftyp":
        return _by_brand(start)
    if start[4:8] in _FILM_BOXES:
        return _MOV
    if start[:4] == b"PK\x03\x04":
        return next((kind for name, kind in _IN_ZIP if name in start), ZIP)
    if start[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return _RAW if _is_camera_tiff(start) else _TIFF
    if re.match(rb"P[1-6][\s#]", start):
        return _picture("a PNM picture", "PPM")
    if start[:2] == b"BM" and len(start) >= 26 and struct.unpack_from("<I", start, 14)[0] in _BMP_HEADERS:
        return _picture("a BMP picture", "BMP")
    if any(len(start) > 2 * n + at and start[at] == start[n + at] == start[2 * n + at] == 0x47 for n, at in _PACKETS):
        return _MPEG_TS
    if re.match(rb"\x08[\x01-\x14](\x12|\x3a|\x42)", start) and (
        b"onnx" in start or b"torch" in start or b":" in start
    ):
        return ONNX
    return None


_PACKETS: Final = ((188, 0), (192, 4))
"""Bytes of a packet of an MPEG transport stream, and where in it its mark is; cameras (AVCHD) put a time before it."""

_BMP_HEADERS: Final = (12, 16, 40, 52, 56, 64, 108, 124)
"""Bytes that a header may have (Microsoft, "Bitmap Header Types")."""


def _by_brand(start: bytes) -> Kind:
    length = max(16, min(struct.unpack_from(">I", start)[0], 256))
    # The first brand is the file's own, then a version, then what else it follows.
    brands = [start[at : at + 4] for at in (8, *range(16, length, 4))]
    for kinds, kind in _BRANDS:
        if brands[0] in kinds:
            # mif1 and msf1 say only that there are pictures.
            return _AVIF if kind is _HEIC and not {b"avif", b"avis"}.isdisjoint(brands) else kind
    return _MOV


_IFD_ENTRY: Final = 12
_DNG_VERSION: Final = 0xC612
_SUB_IFDS: Final = 0x014A
_NEW_SUBFILE_TYPE: Final = 0x00FE
_REDUCED: Final = 1


def _is_camera_tiff(start: bytes) -> bool:
    """Tell a camera's RAW file, whose first picture is but a preview (TIFF 6.0 and Adobe's DNG specification)."""
    order = "<" if start[:1] == b"I" else ">"
    try:
        at = struct.unpack_from(f"{order}I", start, 4)[0]
        entries = struct.unpack_from(f"{order}H", start, at)[0]
        tags = {}
        for number in range(entries):
            tag, _, _, value = struct.unpack_from(f"{order}HHI4s", start, at + 2 + _IFD_ENTRY * number)
            tags[tag] = value
    except struct.error:  # the directory lies further in
        return False
    is_preview = _NEW_SUBFILE_TYPE in tags and struct.unpack(f"{order}I", tags[_NEW_SUBFILE_TYPE])[0] == _REDUCED
    return _DNG_VERSION in tags or (is_preview and _SUB_IFDS in tags)


_PAGE: Final = re.compile(
    r"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]|<script[\s>]|<title>|<meta\s", re.IGNORECASE
)


def _by_text(start: bytes) -> Kind | None:
    text = text_of(start)
    if text is None or not text.strip("\ufeff \t\r\n"):
        return None if text is None else EMPTY
    bare = text.lstrip("\ufeff \t\r\n")
    if bare.startswith("<"):
        if re.search(r"<svg[\s>]", bare[:4096]) and not re.search(r"<html[\s>]", bare[:4096], re.IGNORECASE):
            return SVG
        return WEB_PAGE if _PAGE.search(bare[:4096]) else Kind("an XML text", "text", _NO_USE)
    for begins, kind in _TEXT_BEGINNINGS:
        if bare.startswith(begins):
            return kind
    if re.match(r"[\[{]\s*([\"\[{\]}\d-]|true|false|null|$)", bare):
        return JSON
    form = text_form(start)
    if form is None:
        return TEXT
    return next((kind for knows, kind in _TABLES if knows(form)), CSV_TABLE if is_table(text, form) else TEXT)


_TEXT_BEGINNINGS: Final = (
    ("version https://git-lfs", LFS_POINTER),
    ("data:image/", Kind("a picture written as a text (data:image/...)", "other picture", _AS_JPEG)),
    ("#EXTM3U", Kind("a playlist of a film", "film", _FILM_ADVICE)),
)

_TABLES: Final[tuple[tuple[Callable[[TextForm], bool], Kind], ...]] = (
    (lambda form: "pixels" in {column.casefold() for column in form.columns}, FER2013_TABLE),
    (lambda form: "0_px" in form.columns, FACE_TABLE),
    (lambda form: {"neutral", "happiness", "contempt"} <= set(form.columns), VOTES_TABLE),
)
