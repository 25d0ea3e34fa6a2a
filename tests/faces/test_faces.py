"""Pictures become faces the same way in training and on the page, whatever kind of file they come in."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps
from skimage import data

from emotion import config
from emotion.errors import DetectorError, EmotionError, ImageError
from emotion.faces.crop import DETECTORS, cut_out, face_vector, find_faces
from emotion.faces.decode import decode, decode_image
from emotion.faces.detect import Box, Cut, FaceDetector, HaarDetector, square_around
from emotion.faces.pixels import as_bgr
from emotion.faces.tracking import overlap
from emotion.faces.yunet import YuNetDetector
from emotion.vote.recognizer import Recognizer
from tests.heic import heic

PORTRAIT_RGB: NDArray[np.uint8] = data.astronaut()
PORTRAIT_BGR = np.ascontiguousarray(PORTRAIT_RGB[:, :, ::-1])
ANY_MODELS: Any = None  # none are asked where faces are only sought
PORTRAIT_FACE = (225, 115)  # x, y of the middle of the face, by eye


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def colours() -> Image.Image:
    """Four quarters: red, green, blue, grey; large enough that lossy files keep them."""
    quarters = np.zeros((64, 64, 3), np.uint8)
    quarters[:32, :32], quarters[:32, 32:], quarters[32:, :32] = (220, 20, 20), (20, 200, 20), (20, 20, 220)
    quarters[32:, 32:] = 128
    return Image.fromarray(quarters)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF", "JPEG", "WEBP", "AVIF"])
def test_every_common_format_is_read_as_blue_green_red(kind: str) -> None:
    decoded = decode_image(encoded(colours(), kind))
    assert decoded.shape == (64, 64, 3)
    assert decoded.dtype == np.uint8
    for (y, x), rgb in {(16, 16): (220, 20, 20), (16, 48): (20, 200, 20), (48, 16): (20, 20, 220)}.items():
        assert np.abs(decoded[y, x].astype(int) - rgb[::-1]).max() < 25


def test_grey_pictures_keep_their_values() -> None:
    grey = np.arange(48 * 48, dtype=np.uint32).reshape(48, 48).astype(np.uint8)
    decoded = decode_image(encoded(Image.fromarray(grey), "PNG"))
    assert (decoded == grey[:, :, None]).all()
    assert (face_vector(decoded) == grey.ravel()).all()


@pytest.mark.hostile("the picture")
def test_sixteen_bit_grey_keeps_its_upper_half() -> None:
    """A 16-bit scan must not turn white or black."""
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    assert (decode_image(encoded(Image.fromarray(values), "PNG"))[:, :, 0] == values >> 8).all()


def test_a_sixteen_bit_tiff_whose_white_is_nought_is_no_negative() -> None:
    values = np.linspace(20_000, 30_000, 64 * 64).reshape(64, 64).astype(np.uint16)
    decoded = decode_image(encoded(Image.fromarray(values), "TIFF", tiffinfo={262: 0}))
    assert (decoded[:, :, 0] == 255 - (values >> 8)).all()


def test_a_transparent_sixteen_bit_grey_is_white() -> None:
    values = np.linspace(20_000, 30_000, 64 * 64).reshape(64, 64).astype(np.uint16)
    decoded = decode_image(encoded(Image.fromarray(values), "PNG", transparency=int(values[5, 5])))
    assert (decoded[:, :, 0] == np.where(values == values[5, 5], 255, values >> 8)).all()


def test_sixteen_bit_grey_in_a_pgm_keeps_its_upper_half() -> None:
    """Which Pillow reads into a wider type than it does from a PNG."""
    values = np.linspace(20_000, 30_000, 64 * 64).reshape(64, 64).astype(">u2")
    decoded = decode_image(b"P5 64 64 65535\n" + values.tobytes())
    assert (decoded[:, :, 0] == values >> 8).all()


def test_floating_point_pictures_are_stretched() -> None:
    values = np.linspace(-2.0, 5.0, 64 * 64).reshape(64, 64).astype(np.float32)
    decoded = decode_image(encoded(Image.fromarray(values), "TIFF"))
    assert (decoded.min(), decoded.max()) == (0, 255)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_white(mode: str) -> None:
    """Hidden pixels behind transparency often are black noise: the models must not see them."""
    image = Image.new("RGBA", (64, 64), (10, 20, 30, 0))
    image.paste((200, 200, 200, 255), (0, 0, 32, 64))
    decoded = decode_image(encoded(image.convert(mode), "PNG"))
    assert np.abs(decoded[10, 10].astype(int) - 200).max() < 4
    assert (decoded[10, 50] == 255).all()


# mark | how the picture is stored, in degrees against the clock
@pytest.mark.hostile("the picture, upright")
@pytest.mark.parametrize(("orientation", "stored"), [(3, 180), (6, 90), (8, 270)])
def test_phone_pictures_are_turned_upright(orientation: int, stored: int) -> None:
    """Phones store portraits lying down with an EXIF mark; a lying face is never found."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = Image.fromarray(PORTRAIT_RGB).rotate(stored, expand=True)
    decoded = decode_image(encoded(lying, "JPEG", exif=exif, quality=95))
    assert np.abs(decoded.astype(int) - PORTRAIT_BGR).mean() < 5
    assert find_faces(decoded, HaarDetector())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_that_of_other_programs(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = encoded(Image.fromarray(PORTRAIT_RGB[:200, :150]), kind, exif=exif, lossless=True, quality=95)
    with Image.open(io.BytesIO(stored)) as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(decode_image(stored)[:, :, ::-1], upright)


# mark | what the camera wrote that no program should
@pytest.mark.hostile("the picture, upright where its orientation can be read")
@pytest.mark.parametrize(
    ("entries", "shape"),
    [
        (
            [(0x0112, 3, 1, struct.pack("<HH", 6, 0)), (0x011A, 2, 4, b"72 \0")],
            (220, 250, 3),
        ),  # a resolution that is text
        (
            [(0x0112, 3, 1, struct.pack("<HH", 6, 0)), (0x011A, 10, 1, struct.pack("<I", 9999))],
            (220, 250, 3),
        ),  # outside
        (None, (250, 220, 3)),  # not a table at all
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.filterwarnings("ignore:Truncated File Read")
def test_what_else_a_camera_wrote_costs_no_picture(kind: str, entries: list | None, shape: tuple[int, ...]) -> None:
    """Other programs show these pictures; they would be missing from a table of faces without a cause."""
    table = b"garbage"
    if entries is not None:
        rows = b"".join(struct.pack("<HHI", tag, type_, count) + value for tag, type_, count, value in entries)
        table = b"II*\0" + struct.pack("<IH", 8, len(entries)) + rows + struct.pack("<I", 0)
    stored = encoded(Image.fromarray(PORTRAIT_RGB[:250, :220]), kind, exif=b"Exif\0\0" + table)
    assert decode_image(stored).shape == shape


@pytest.mark.hostile("the first frame")
@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF", "MPO"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    first, second = Image.new("RGB", (60, 60), "red"), Image.new("RGB", (60, 60), "blue")
    decoded = decode_image(encoded(first, kind, save_all=True, append_images=[second]))
    assert np.abs(decoded[30, 30].astype(int) - (0, 0, 255)).max() < 12


@pytest.mark.hostile("the picture in its colours")
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_pictures_for_print_keep_their_colours(kind: str) -> None:
    """JPEGs of CMYK are stored inverted by custom."""
    decoded = decode_image(encoded(colours().convert("CMYK"), kind))
    for (y, x), rgb in {(16, 16): (220, 20, 20), (16, 48): (20, 200, 20), (48, 16): (20, 20, 220)}.items():
        assert np.abs(decoded[y, x].astype(int) - rgb[::-1]).max() < 25


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_the_pictures_of_iphones_are_read_upright(turns: int) -> None:
    """HEIC is what they hand over; how the camera was held is part of the picture there."""
    shown = np.rot90(PORTRAIT_BGR, turns)
    decoded = decode_image(heic(PORTRAIT_BGR, turns))
    assert decoded.shape == shown.shape
    assert np.abs(decoded.astype(int) - shown).mean() < 4


@pytest.mark.parametrize("width", [40, 42, 62, 66, 130])
def test_the_rows_of_a_heic_picture_are_as_long_as_it_is_wide(width: int) -> None:
    """Its decoder may lay rows out longer: columns of nothing would be part of the face."""
    shown = np.ascontiguousarray(cv2.resize(PORTRAIT_BGR, (width, 64), interpolation=cv2.INTER_AREA))
    decoded = [decode_image(heic(shown)) for _ in range(3)]
    for image_bgr in decoded:  # after the decoder's own memory has been used anew
        assert image_bgr.shape == shown.shape
        assert np.abs(image_bgr.astype(int) - shown).mean() < 8


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}], ids=str)
def test_a_jpeg_that_lacks_only_its_end_is_whole(options: dict[str, object]) -> None:
    """Every browser shows it, and no pixel is missing."""
    content = encoded(Image.fromarray(PORTRAIT_RGB), "JPEG", **options)
    decoded = decode(content[:-2])
    assert (decoded.image_bgr == decode_image(content)).all()
    assert decoded.note == ""


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_file_that_ends_early_shows_what_is_there_and_says_what_is_missing(kind: str) -> None:
    content = encoded(Image.fromarray(PORTRAIT_RGB), kind)
    whole, decoded = decode_image(content), decode(content[: len(content) * 3 // 4])
    there = round(len(whole) * (1 - decoded.missing)) - 32  # the last block of rows is there in part
    assert 0.1 < decoded.missing < 0.5
    assert (decoded.image_bgr[:there] == whole[:there]).all()
    assert decoded.note == f"The file ends too early: {decoded.missing:.0%} of the picture is missing."


@pytest.mark.slow
def test_a_jpeg_beyond_what_fits_is_read_reduced_and_its_boxes_are_those_of_the_file() -> None:
    """Phones write 108 megapixels; whoever cuts the face out of the file must find it where the box is."""
    large = np.full((9000, 12_000, 3), 90, np.uint8)
    large[1000:5096, 2000:6096] = cv2.resize(PORTRAIT_BGR, None, fx=8, fy=8, interpolation=cv2.INTER_LINEAR)
    decoded = decode(cv2.imencode(".jpg", large)[1].tobytes())
    assert decoded.reduced == 2
    assert decoded.image_bgr.shape == (4500, 6000, 3)
    [(face, vector)] = Recognizer(ANY_MODELS, YuNetDetector()).find_in(decoded)
    x, y = face.box.x + face.box.w / 2, face.box.y + face.box.h / 2
    assert abs(x - 2000 - 8 * PORTRAIT_FACE[0]) < 200
    assert abs(y - 1000 - 8 * PORTRAIT_FACE[1]) < 200
    [(_, usual)] = find_faces(PORTRAIT_BGR, YuNetDetector())
    assert np.abs(vector.astype(int) - usual).mean() < 8


def test_a_library_says_nothing_of_its_own_about_odd_files(tmp_path: Path) -> None:
    """Whoever looks at a folder of pictures is told in sentences, not in warnings of a decoder."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0\x0f\x01\x02\0\xff\xff\0\0\xff\xff\0\0"
    odd = [encoded(Image.fromarray(PORTRAIT_RGB), "JPEG", exif=exif)]
    odd += [odd[0][:-2], odd[0][: len(odd[0]) // 2], encoded(colours(), "TIFF", tiffinfo={65000: "x"})[:-9]]
    for compression in ("tiff_lzw", "tiff_deflate"):
        tiff = encoded(Image.fromarray(PORTRAIT_RGB), "TIFF", compression=compression)
        odd.append(tiff[:8] + bytes(20) + tiff[28:])
    for number, content in enumerate(odd):
        (tmp_path / str(number)).write_bytes(content)
    code = (
        "import pathlib, sys\nfrom emotion.errors import ImageError\nfrom emotion.faces.decode import decode_image\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    try: print(decode_image(path.read_bytes()).shape)\n    except ImageError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], cwd=config.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == len(odd)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


@pytest.mark.hostile("one sentence: not a picture, damaged, or too large")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"<html><body>404</body></html>", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"%PDF-1.7", "not a picture"),
        (encoded(colours(), "PNG")[:60], "damaged"),
        (encoded(colours(), "JPEG")[:300], "damaged"),
        (png_header(8000, 6501), "too large"),  # 52 megapixels and a row
        (png_header(20_001, 1), "too large"),
        (png_header(60_000, 60_000), "too large"),  # a bomb by Pillow's own judgement
    ],
)
def test_what_is_no_good_picture_is_told_in_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(ImageError, match=sentence):
        decode_image(content)


@pytest.mark.hostile("the picture, or one sentence")
@given(st.binary(max_size=200), st.sampled_from(["PNG", "GIF", "BMP", "TIFF", "JPEG", "WEBP"]), st.integers(0, 400))
def test_damaged_files_raise_nothing_else(noise: bytes, kind: str, place: int) -> None:
    """The page must survive any upload."""
    content = encoded(colours(), kind)
    try:
        decoded = decode_image(content[:place] + noise + content[place + len(noise) :])
    except EmotionError:
        return
    assert decoded.ndim == 3
    assert decoded.dtype == np.uint8


by_detector = pytest.mark.parametrize("detector", [make() for make in DETECTORS.values()], ids=list(DETECTORS))


@by_detector
def test_the_portrait_has_one_face_where_it_is(detector: FaceDetector) -> None:
    [face] = detector.detect(PORTRAIT_BGR)
    x, y, w, h = face.box
    assert abs(x + w / 2 - PORTRAIT_FACE[0]) < 12
    assert abs(y + h / 2 - PORTRAIT_FACE[1]) < 12


@by_detector
def test_boxes_are_those_of_the_picture_however_large_it_is(detector: FaceDetector) -> None:
    """Faces are sought in a smaller picture; their boxes must still fit the one that was given."""
    found = detector.detect(cv2.resize(PORTRAIT_BGR, None, fx=3, fy=3))
    aside = [
        (abs(x + w / 2 - 3 * PORTRAIT_FACE[0]), abs(y + h / 2 - 3 * PORTRAIT_FACE[1]))
        for x, y, w, h in (f.box for f in found)
    ]
    assert max(min(aside)) < 40  # the cascade sees others in the suit, too


@by_detector
def test_faces_come_largest_first(detector: FaceDetector) -> None:
    small = cv2.resize(PORTRAIT_BGR, None, fx=0.6, fy=0.6)
    scene = np.full((512, 900, 3), 127, np.uint8)
    scene[: small.shape[0], : small.shape[1]] = small
    scene[:, 380:892] = PORTRAIT_BGR
    first, second = (face.box for face in detector.detect(scene))
    assert first.area > second.area
    assert first.x > 380


@by_detector
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (23, 23), (48, 49), (15, 700), (480, 640)])
def test_pictures_without_a_face_have_none(detector: FaceDetector, shape: tuple[int, int]) -> None:
    assert find_faces(np.full((*shape, 3), 90, np.uint8), detector) == []


@pytest.mark.parametrize(
    ("no_picture", "sentence"),
    [
        (None, "None, which OpenCV's imread gives for a file that it cannot read: look at the path"),
        ("portrait.jpg", "'portrait.jpg' is no picture but the name of one"),
        (Path("portrait.jpg"), "'portrait.jpg' is no picture but the name of one"),
        (b"\xff\xd8\xff", "or its bytes"),
        (PORTRAIT_BGR.astype(np.float32) / 255, "uint8, and this one has float32: convert it"),
        (PORTRAIT_BGR.astype(np.uint16), "uint8, and this one has uint16: convert it"),
        (PORTRAIT_BGR[:0], r"The picture is empty: its shape is \(0, "),
        (PORTRAIT_BGR[:, :, :2], r"\(height, width, 4\), and this one \("),
        (PORTRAIT_BGR[None], r"\(height, width, 4\), and this one \(1, "),
        (PORTRAIT_BGR.tolist(), "not list"),
    ],
    ids=["None", "name", "path", "bytes", "float", "uint16", "empty", "two channels", "a batch", "list"],
)
def test_what_is_no_picture_is_refused_with_what_it_is(no_picture: object, sentence: str) -> None:
    """As OpenCV gives None for a path that it cannot read: a program's most frequent mistake."""
    with pytest.raises(ValueError, match=sentence):
        find_faces(no_picture, YuNetDetector())  # type: ignore[arg-type]


def test_pictures_are_taken_as_programs_hold_them() -> None:
    """Grey, with opacity, or opened with Pillow: else each program would have to convert them, and some would err."""
    grey = cv2.cvtColor(PORTRAIT_BGR, cv2.COLOR_BGR2GRAY)
    opaque = np.dstack([PORTRAIT_BGR, np.full_like(grey, 255)])
    [(found, vector)] = find_faces(PORTRAIT_BGR, YuNetDetector())
    for picture in (opaque, Image.fromarray(PORTRAIT_BGR[:, :, ::-1]), Image.fromarray(opaque[:, :, [2, 1, 0, 3]])):
        [(same, same_vector)] = find_faces(picture, YuNetDetector())
        assert same == found
        assert (same_vector == vector).all()
    for picture in (grey, grey[:, :, None], Image.fromarray(grey)):
        [(near, near_vector)] = find_faces(picture, YuNetDetector())
        assert overlap(near.box, found.box) > 0.8
        assert near_vector.shape == vector.shape


def test_a_transparent_array_is_white_where_nothing_is() -> None:
    """As a picture file with transparent parts is."""
    clear = np.zeros((4, 4, 4), np.uint8)
    clear[0, 0] = 10, 20, 30, 255
    assert as_bgr(clear)[0, 0].tolist() == [10, 20, 30]
    assert (as_bgr(clear)[1:] == 255).all()


def test_a_picture_of_pillow_is_turned_as_its_file_is() -> None:
    """Else a phone's picture would lie on its side only when a program opened it first."""
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(PORTRAIT_BGR[:, :, ::-1])))
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(stored, "PNG", exif=exif)
    with Image.open(io.BytesIO(content)) as opened:
        assert (as_bgr(opened) == decode_image(content)).all()
        assert as_bgr(opened).shape == PORTRAIT_BGR.shape


def test_a_48x48_picture_is_a_face_as_it_is() -> None:
    """Data sets of faces come cut out; another search would lose two thirds of them."""
    picture = np.random.default_rng(0).integers(0, 256, (48, 48, 1), np.uint8).repeat(3, axis=2)
    ((face, vector),) = find_faces(picture, YuNetDetector())
    assert face.box == (0, 0, 48, 48)
    assert (vector == picture[:, :, 0].ravel()).all()


@pytest.mark.parametrize("content", [None, "", "<opencv_storage/>", "no xml at all"])
@pytest.mark.hostile("the face detector's file is missing or damaged")
def test_a_broken_cascade_is_a_fault_and_not_an_absence_of_faces(tmp_path: Path, content: str | None) -> None:
    cascade = tmp_path / "cascade.xml"
    if content is not None:
        cascade.write_text(content, encoding="utf-8")
    with pytest.raises(DetectorError, match=r"cascade\.xml"):
        HaarDetector(cascade).detect(PORTRAIT_BGR)


@given(
    st.tuples(st.integers(-20, 50), st.integers(-20, 40), st.integers(1, 60), st.integers(1, 60)),
    st.sampled_from([0.0, 0.1, 0.5]),
)
def test_a_cut_is_square_and_never_empty(corners: tuple[int, int, int, int], margin: float) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)
    box = Box(*corners)
    side = max(1, round(max(box.w, box.h) * (1 + 2 * margin)))
    cut = square_around(box, margin)
    assert cut.side == side
    if cut.x >= 50 or cut.y >= 40 or cut.x + side <= 0 or cut.y + side <= 0:
        with pytest.raises(ValueError, match="no part"):
            cut_out(picture, cut)
        return
    crop = cut_out(picture, cut)
    assert crop.shape == (side, side, 3)
    assert face_vector(crop).shape == (config.N_PIXELS,)


def test_a_cut_inside_the_picture_is_that_part_of_it() -> None:
    crop = cut_out(PORTRAIT_BGR, square_around(Box(100, 50, 80, 80), 0.25))
    assert (crop == PORTRAIT_BGR[30:150, 80:200]).all()
    assert not np.shares_memory(crop, PORTRAIT_BGR)


def test_a_cut_past_the_border_repeats_the_edge() -> None:
    crop = cut_out(PORTRAIT_BGR, Cut(-10, 0, 60))
    assert (crop[:, :10] == PORTRAIT_BGR[:60, :1]).all()
    assert (crop[:, 10:] == PORTRAIT_BGR[:60, :50]).all()


def test_a_negative_margin_and_an_empty_box_are_refused() -> None:
    with pytest.raises(ValueError, match="margin"):
        square_around(Box(0, 0, 10, 10), -0.1)
    with pytest.raises(ValueError, match="empty"):
        square_around(Box(0, 0, 0, 10))


def test_a_turned_cut_is_what_a_quarter_turn_of_the_picture_has_there() -> None:
    """What is upright for the models must be upright for the viewer, too."""
    upright = cut_out(PORTRAIT_BGR, Cut(100, 50, 80))
    turned_bgr = np.ascontiguousarray(np.rot90(PORTRAIT_BGR, -1))  # clockwise
    height = PORTRAIT_BGR.shape[0]
    again = cut_out(turned_bgr, Cut(height - 50 - 80, 100, 80, 90.0))
    assert np.abs(again.astype(int) - upright).mean() < 1
