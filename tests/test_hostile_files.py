"""Files that somebody else made: damaged, mislabelled, enormous, or in places where files can only be trouble."""

import contextlib
import gzip
import io
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import image_to_vector
from emotion import cli, config
from emotion.data import vectorize
from emotion.data.dataset import read_faces
from emotion.data.splitting import split_faces
from emotion.errors import DatasetError, ImageError
from emotion.faces.crop import find_faces
from emotion.faces.decode import decode_image
from emotion.faces.yunet import YuNetDetector
from tests import fuzz
from tests.heic import heic
from tests.synthetic import synthetic_faces, write_table
from tests.tiny_models import write_tiny_models, write_tiny_networks

pytestmark = pytest.mark.slow  # disks that are full, huge files, Ctrl-C at any moment

UNKNOWN = "This is not a picture in a known format: use JPEG"
DAMAGED = "The picture file is damaged or incomplete; use another copy of it."
TOO_LARGE = "The picture is too large"


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    image = Image.effect_noise(size, 60).convert("RGB").convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("picture.png", encoded("PNG"))
    return buffer.getvalue()


def gif_of(width: int, height: int) -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HH", width, height)
        + b"\x80\x00\x00"
        + bytes(6)
        + b","
        + bytes(4)
        + b"\xff\xff\xff\xff\x00"
    )


def bmp_of(width: int, height: int) -> bytes:
    return (
        b"BM"
        + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    )


def tiff_of_one_tile(side: int, tile_side: int) -> bytes:
    packed = zlib.compress(bytes(min(tile_side, 200) ** 2))
    numbers = {256: side, 257: side, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile_side, 323: tile_side}
    entries = [*numbers.items(), (324, 8), (325, len(packed))]
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    start = 8 + len(packed)
    return b"II*\0" + struct.pack("<I", start) + packed + struct.pack("<H", len(entries)) + fields + bytes(4)


def jpeg_of_scans(side: int, repetitions: int) -> bytes:
    """Each scan says nothing new, in a few bytes, about all pixels."""
    content = encoded("JPEG", size=(side, side), progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * repetitions + content[-2:]


def as_first_of_several(jpeg: bytes) -> bytes:
    """Say that others stand behind it: Pillow then calls the file an MPO."""
    several = io.BytesIO()
    Image.new("RGB", (8, 8)).save(several, "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    start = several.getvalue().index(b"\xff\xe2")
    length = 2 + struct.unpack(">H", several.getvalue()[start + 2 : start + 4])[0]
    return jpeg[:2] + several.getvalue()[start : start + length] + jpeg[2:]


def bmp_of_short_runs(width: int, height: int) -> bytes:
    """Of each row only the first pixel is said; the rest is filled in."""
    rows = b"\x01\x00\x00\x00" * height
    return (
        b"BM"
        + struct.pack("<IHHI", 1078 + len(rows), 0, 0, 1078)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(rows), 0, 0, 256, 0)
        + bytes(1024)
        + rows
    )


REFUSED = {
    "nothing": (b"", "The file is empty: "),
    "one byte": (b"\x89", UNKNOWN),
    "noughts": (bytes(1000), UNKNOWN),
    "HTML": (b"<!doctype html><title>404</title>", "This is a web page, not a picture: "),
    "SVG": (
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "an SVG drawing, which is not read: save it as PNG",
    ),
    "SVG with an entity": (b"<!DOCTYPE s [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>", "an SVG drawing"),
    "compressed SVG": (gzip.compress(b"<svg/>", mtime=0), "a gzip archive, not a picture: unpack it"),
    "PDF": (b"%PDF-1.7\n1 0 obj", "a PDF document, not a picture: "),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript drawing, which is not read"),
    "ZIP": (zipped(), "a zip archive, not a picture: unpack it"),
    "Windows program": (b"MZ\x90\0" + bytes(200), "a program, not a picture"),
    "Linux program": (b"\x7fELF" + bytes(200), "a program, not a picture"),
    "film": (b"\x00\x00\x00\x18ftypmp42" + bytes(200), "a film, not a picture: "),
    "sound": (b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(200), "a sound, not a picture"),
    "icon": (b"\x00\x00\x01\x00\x01\x00" + bytes(60), "an icon .ICO., which is not read"),
    "PNG cut off in its head": (encoded("PNG")[:60], DAMAGED),
    "PNG of its signature": (b"\x89PNG\r\n\x1a\n", DAMAGED),
    "JPEG cut off in its head": (encoded("JPEG")[:300], DAMAGED),
    "GIF cut off in its head": (encoded("GIF")[:300], DAMAGED),
    "WebP cut off": (encoded("WEBP")[:-400], DAMAGED),
    "TIFF cut off": (encoded("TIFF", compression="tiff_lzw")[:-300], DAMAGED),
    "BMP cut off": (encoded("BMP")[:-900], DAMAGED),
    "PPM cut off": (encoded("PPM")[:-900], DAMAGED),
    "HEIC cut off": (heic(np.zeros((80, 80, 3), np.uint8))[:-40], DAMAGED),
    "HEIC of nothing": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), DAMAGED),
    "AVIF cut off": (encoded("AVIF")[:-300], DAMAGED),
    "GIF of 4 gigapixels": (gif_of(65535, 65535), "too large|damaged"),
    "BMP of 10 gigapixels": (bmp_of(100_000, 100_000), TOO_LARGE),
    "PPM of 10 gigapixels": (b"P6 100000 100000 255\n", TOO_LARGE),
    "PPM without height": (b"P6 100 0 255\n", DAMAGED),
    "PPM of a negative size": (b"P6 -5 5 255\n", DAMAGED),
    "TIFF of a tile of 2 gigapixels": (tiff_of_one_tile(100, 44_000), TOO_LARGE),
    "JPEG of ten thousand scans": (jpeg_of_scans(400, 10_000), TOO_LARGE),
    "JPEG of ten thousand scans, with others behind it": (as_first_of_several(jpeg_of_scans(400, 10_000)), TOO_LARGE),
    "PPM of half a million comments": (b"P3 10 10 255\n" + b"#\n" * 500_000, "written out in digits"),
    "BMP of short runs": (bmp_of_short_runs(20_000, 2_000), TOO_LARGE),
    "52 megapixels and a row": (b"P5 8000 6501 255\n", TOO_LARGE),
    "a side of 20 001": (b"P5 20001 2 255\n", TOO_LARGE),
}


@pytest.mark.hostile("one sentence: not a picture, damaged, or too large")
@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_no_good_picture_is_refused_in_a_sentence(case: str) -> None:
    content, sentence = REFUSED[case]
    with pytest.raises(ImageError, match=sentence):
        decode_image(content)


def largest(mode: str, kind: str, size: tuple[int, int], **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read as Linux tells it")
@pytest.mark.hostile("the picture; of the server's memory it takes 0.4 to 0.8 GB for a second")
@pytest.mark.parametrize(
    ("mode", "kind", "options", "most_megabytes"),
    [
        ("RGBA", "PNG", {"compress_level": 1}, 600),
        ("F", "TIFF", {"compression": "tiff_lzw"}, 600),
        ("RGB", "JPEG", {}, 600),
        ("CMYK", "JPEG", {"progressive": True, "subsampling": 0}, 750),
        ("RGB", "WEBP", {}, 900),
        ("RGB", "JPEG", {"of_a_phone": True}, 600),
    ],
)
def test_the_largest_picture_takes_no_more_memory_than_there_is(
    tmp_path: Path, mode: str, kind: str, options: dict[str, object], most_megabytes: int
) -> None:
    """A picture of a few hundred kilobytes must not have the server killed for want of memory."""
    options = dict(options)
    width, height = (12_000, 9000) if options.pop("of_a_phone", False) else (8000, 6500)
    (tmp_path / "largest").write_bytes(largest(mode, kind, (width, height), **options))
    code = (
        "import pathlib, re, sys; from emotion.faces.decode import decode_image\n"
        "picture = decode_image(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "print(*picture.shape, *re.findall(r'VmHWM:\\s*(\\d+)', pathlib.Path('/proc/self/status').read_text()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "largest"], cwd=config.ROOT, capture_output=True, text=True, check=True
    )
    *shape, peak_kilobytes = map(int, done.stdout.split())
    reduced = 2 if width == 12_000 else 1
    assert shape == [height // reduced, width // reduced, 3]
    assert peak_kilobytes < 1000 * most_megabytes


READ = {
    "PNG cut off": (encoded("PNG")[:-60], (40, 60)),
    "JPEG cut off": (encoded("JPEG")[:-300], (40, 60)),
    "JPEG of several scans cut off": (encoded("JPEG", progressive=True)[:-300], (40, 60)),
    "JPEG without its end": (encoded("JPEG")[:-2], (40, 60)),
    "GIF cut off": (encoded("GIF")[:-900], (40, 60)),
    "1x1": (encoded("PNG", size=(1, 1)), (1, 1)),
    "a face vector's size": (encoded("PNG", size=(48, 48)), (48, 48)),
    "panorama": (encoded("PNG", size=(20_000, 8)), (8, 20_000)),
    "tower": (encoded("PNG", size=(8, 20_000)), (20_000, 8)),
    "CMYK": (encoded("JPEG", "CMYK"), (40, 60)),
    "palette": (encoded("PNG", "P"), (40, 60)),
    "one bit": (encoded("PNG", "1"), (40, 60)),
    "alpha": (encoded("PNG", "RGBA"), (40, 60)),
    "grey and alpha": (encoded("PNG", "LA"), (40, 60)),
    "floating point": (encoded("TIFF", "F"), (40, 60)),
    "TIFF of one tile": (tiff_of_one_tile(100, 112), (100, 100)),
    "JPEG of two dozen scans": (jpeg_of_scans(400, 15), (400, 400)),
    "lying about its end": (encoded("PNG") + b"<script>alert(1)</script>", (40, 60)),
}


@pytest.mark.hostile("the picture, or that there is no face in it")
@pytest.mark.parametrize("case", READ)
def test_an_odd_picture_is_read_and_searched(case: str) -> None:
    content, shape = READ[case]
    picture = decode_image(content)
    assert (picture.shape, picture.dtype) == ((*shape, 3), np.uint8)
    assert len(find_faces(picture, YuNetDetector())) == (case == "a face vector's size")


@pytest.mark.hostile("the table, or which row of which file is wrong")
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_a_damaged_table_is_read_or_refused_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    generator = fuzz.random.Random(seed)
    file = tmp_path_factory.getbasetemp() / "damaged.csv"
    file.write_bytes(fuzz.mutated(generator.choice(fuzz.tables()), generator))
    with contextlib.suppress(DatasetError):
        faces = read_faces(file)
        assert faces.X.shape == (len(faces.y), 2304)


@pytest.mark.hostile("which emotions have too few faces")
@pytest.mark.parametrize(
    ("per_class", "sentence"),
    [
        ((0, 9, 0), "All faces are of one emotion, Happy"),
        ((0, 1, 1), "Happy has 1 different face and Sad 1; 3 of each are needed"),
        ((0, 9, 1), "Sad has 1 different face; 3 are needed"),
    ],
    ids=["one class", "one row a class", "one row of a class"],
)
def test_a_table_that_cannot_be_divided_says_which_emotions_lack_faces(
    per_class: tuple[int, ...], sentence: str
) -> None:
    with pytest.raises(DatasetError, match=sentence):
        split_faces(synthetic_faces(per_class), all_parts=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "happy").mkdir(parents=True)
    for number in range(30):
        cv2.imwrite(str(folder / "happy" / f"{number:02}.png"), np.full((48, 48), 8 * number, np.uint8))
    return folder


@pytest.mark.hostile("the faces of the rest")
def test_a_loop_of_links_ends(folder: Path, tmp_path: Path) -> None:
    (folder / "happy" / "again").symlink_to(folder)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "happy" / "dangling.png").symlink_to(tmp_path / "nowhere")
    summary = vectorize.vectorize(folder, tmp_path / "data.csv", progress=False)
    assert summary.faces.total() == 30


@pytest.mark.hostile("the faces; the file's real format counts, not its name")
def test_a_wrong_ending_does_not_matter(folder: Path, tmp_path: Path) -> None:
    for number, file in enumerate(sorted((folder / "happy").iterdir())):
        file.rename(file.with_suffix((".jpg", ".txt", ".exe", "")[number % 4]))
    assert vectorize.vectorize(folder, tmp_path / "data.csv", progress=False).faces.total() == 30


@pytest.mark.hostile("how many files were looked at, and that none has a face")
def test_a_hundred_thousand_files_are_all_looked_at(tmp_path: Path) -> None:
    emotion = tmp_path / "in" / "happy"
    emotion.mkdir(parents=True)
    # Names of two files, which are made faster than files are; file systems allow some 65,000 for each.
    empty = [tmp_path / "a", tmp_path / "b"]
    for file in empty:
        file.touch()
    for number in range(100_000):
        os.link(empty[number % 2], emotion / f"{number}.png")
    with pytest.raises(DatasetError, match=r"No picture of .* can be read \(100,000 files\)"):
        vectorize.vectorize(tmp_path / "in", tmp_path / "data.csv", progress=False)


@pytest.fixture(scope="module")
def many_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that takes a second or two."""
    emotion = tmp_path_factory.mktemp("many") / "happy"
    emotion.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    picture = cv2.imencode(".png", noise)[1].tobytes()
    for number in range(4000):
        (emotion / f"{number}.png").write_bytes(picture)
    return emotion.parent


INTERRUPTED_IMPORT = """
import builtins, sys
import_module = builtins.__import__
def interrupted(name, *arguments, **more):
    if name == sys.argv[1]:
        raise KeyboardInterrupt
    return import_module(name, *arguments, **more)
builtins.__import__ = interrupted
import image_to_vector
sys.exit(image_to_vector.main(["nowhere"]))
"""


@pytest.mark.hostile("Stopped; the table is as it was.")
@pytest.mark.parametrize("library", ["emotion.errors", "emotion.data.vectorize", "numpy", "pyarrow", "cv2"])
def test_ctrl_c_while_libraries_are_loaded_is_no_traceback(library: str) -> None:
    """Which takes half of a short run."""
    command = [sys.executable, "-c", INTERRUPTED_IMPORT, library]
    done = subprocess.run(command, cwd=config.ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "Stopped; the table is as it was.\n")


INTERRUPTED_CLEARING = """
import sys
import emotion.data.vectorize, image_to_vector
vectorize = emotion.data.vectorize.vectorize
class Bar:
    def __del__(self):
        raise KeyboardInterrupt
def interrupted(*arguments, **more):
    bar = Bar()
    return vectorize(*arguments, **more)
emotion.data.vectorize.vectorize = interrupted
sys.exit(image_to_vector.main(sys.argv[1:]))
"""


@pytest.mark.hostile("Stopped; the table has just been written, maybe not the list of unreadable files beside it.")
def test_ctrl_c_while_an_object_is_cleared_away_is_no_traceback(many_pictures: Path, tmp_path: Path) -> None:
    """Python cannot raise it there; it prints a traceback and goes on."""
    table = tmp_path / "data.csv"
    command = [sys.executable, "-c", INTERRUPTED_CLEARING, str(many_pictures), "--output", str(table)]
    done = subprocess.run(command, cwd=config.ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith(
        "Stopped; the table has just been written, maybe not the list of unreadable files beside it.\n"
    )
    assert len(read_faces(table)) == 4000


def begun_table(pictures: Path, table: Path) -> subprocess.Popen[str]:
    """Start to write a table; give the process once the new table is beside what was there."""
    before = len(list(table.parent.iterdir()))
    process = subprocess.Popen(
        [sys.executable, "image_to_vector.py", pictures, "--output", table],
        cwd=config.ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # A test run that was started in the background ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while len(list(table.parent.iterdir())) == before:
        assert process.poll() is None, "the table was never begun"
        time.sleep(0.01)
    return process


@pytest.fixture(scope="module")
def writing_seconds(many_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long this machine writes the table, from its beginning on."""
    process = begun_table(many_pictures, tmp_path_factory.mktemp("timed") / "data.csv")
    begun = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode == 0
    return time.monotonic() - begun


LOST_WHILE_CLEARING_AWAY = re.compile(
    r"Exception ignored in: <function .*\nTraceback .*\n(?: .*\n)*\n?KeyboardInterrupt: *\n"
)
"""How Python tells of a Ctrl-C that comes while it clears an object away, and goes on as if there had been none."""


@pytest.mark.hostile("Stopped; the table is as it was, or has just been written")
@pytest.mark.parametrize("seed", range(10))
def test_ctrl_c_at_any_moment_leaves_the_old_table(
    many_pictures: Path, writing_seconds: float, tmp_path: Path, seed: int
) -> None:
    """At random, while the new table is written beside the old one."""
    table = tmp_path / "data.csv"
    table.write_text("old", encoding="utf-8")
    process = begun_table(many_pictures, table)
    time.sleep(writing_seconds * np.random.default_rng(seed).random())
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    errors = LOST_WHILE_CLEARING_AWAY.sub("", errors)
    assert "Traceback" not in errors
    if errors.endswith("Stopped; the table is as it was.\n"):
        assert process.returncode == 130
        assert table.read_text(encoding="utf-8") == "old"
    elif process.returncode == 130:
        assert errors.endswith(
            "Stopped; the table has just been written, maybe not the list of unreadable files beside it.\n"
        )
        assert len(read_faces(table)) == 4000
    else:  # it was faster this time, and maybe just ending the program, which tells no more then
        assert process.returncode in (0, -signal.SIGINT)
        assert len(read_faces(table)) == 4000
    assert [file.name for file in tmp_path.iterdir()] == ["data.csv"]


@pytest.mark.hostile(
    "Stopped; the table has just been written, or: the same command goes on with the parts that are there"
)
@pytest.mark.parametrize(
    ("name", "told"), [("data.csv", "has just been written"), ("parts/", "goes on with the parts")]
)
def test_ctrl_c_that_comes_too_late_is_not_told_as_one_that_came_in_time(
    many_pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    told: str,
) -> None:
    """Whoever reads that the old table is there would not look at the new one."""
    write = "_write_parts" if name == "parts/" else "_write_table"
    written = getattr(vectorize, write)

    def interrupted(*arguments: object) -> None:
        written(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(vectorize, write, interrupted)
    (tmp_path / "data.csv").write_text("old", encoding="utf-8")
    assert image_to_vector.main([str(many_pictures), "--output", f"{tmp_path}/{name}"]) == 130
    assert told in capsys.readouterr().err.splitlines()[-1]
    assert len(read_faces(tmp_path / name)) == 4000


FULL_DISK = """
import sys, numpy
from pathlib import Path
from emotion.data.tables.writing import face_writer
from emotion.errors import DatasetError
table = Path(sys.argv[1])
table.write_text("old", encoding="utf-8")
{limit}
faces = numpy.random.default_rng(0).integers(0, 256, (200, 2304), numpy.uint8)
try:
    with face_writer(table) as writer:
        writer.write(faces, ["happy"] * 200, [""] * 200)
except DatasetError as error:
    print(error)
print([(file.name, file.read_text(encoding="utf-8")) for file in table.parent.iterdir()])
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A disk in memory, of so many kB, that nobody but the commands see: ``{disk}`` stands for it in them."""
    disk = tmp_path / "disk"
    disk.mkdir()
    private = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount -t tmpfs -o size={{}}k tmpfs {shlex.quote(str(disk))}"
    if shutil.which("unshare") is None or subprocess.run([*private, mount.format(100)], capture_output=True).returncode:
        pytest.skip("this system lets users mount nothing")

    def run(size: int, *commands: list[str]) -> subprocess.CompletedProcess[str]:
        lines = [shlex.join(command).replace("{disk}", shlex.quote(str(disk))) for command in commands]
        script = "\n".join([f"{mount.format(size)} || exit 9", *lines])
        return subprocess.run([*private, script], cwd=config.ROOT, capture_output=True, text=True, timeout=60)

    return run


@pytest.mark.hostile("that the table cannot be written, and why; the old one stays")
@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_a_full_disk_leaves_the_old_table(small_disk: Callable[..., Any], name: str) -> None:
    done = small_disk(200, [sys.executable, "-c", FULL_DISK.format(limit=""), f"{{disk}}/{name}"])
    said, left = done.stdout.splitlines()
    assert re.search(f"{name} cannot be written: .*No space left on device", said), done.stderr
    assert left == str([(name, "old")])


@pytest.mark.hostile("FILE cannot be written: No space left on device; with room again, the rerun goes on")
@pytest.mark.parametrize(("option", "name"), [("--csv", "votes.csv"), ("--json", "votes.jsonl")])
def test_a_full_disk_does_not_cost_the_votes_so_far(
    small_disk: Callable[..., Any], tmp_path: Path, option: str, name: str
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(200):
        cv2.imwrite(str(pictures / f"{number:03}.png"), np.full((48, 48), number, np.uint8))
    models = str(write_tiny_models(tmp_path / "models"))
    predict = [sys.executable, "-m", "emotion", "predict", str(pictures), "--models", models, option]
    assert cli.main([*predict[3:], str(tmp_path / name)]) == 0
    done = small_disk(
        16,
        [*predict, f"{{disk}}/{name}"],
        ["mount", "-o", "remount,size=1m", "{disk}"],
        [*predict, f"{{disk}}/{name}"],
        ["cp", f"{{disk}}/{name}", str(tmp_path / "went_on")],
    )
    assert re.search(f"{name} cannot be written: No space left on device", done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(r"; [1-9]\d* files were in", done.stdout), "the second run has begun anew"
    assert (tmp_path / "went_on").read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.hostile("The models cannot be written to FOLDER: No space left on device; the old ones stay and serve")
def test_a_full_disk_leaves_the_old_models(small_disk: Callable[..., Any], tmp_path: Path) -> None:
    """It has room for the fitted objects and for some of the new files."""
    table = write_table(tmp_path / "train.csv", synthetic_faces((150, 120, 60)))
    test = write_table(tmp_path / "test.csv", synthetic_faces((20, 20, 20), seed=1))
    networks, old = write_tiny_networks(tmp_path / "networks"), write_tiny_models(tmp_path / "old")
    faces = ["--data", str(table), "--test", str(test), "--networks", str(networks)]
    cv2.imwrite(str(tmp_path / "face.png"), np.zeros((48, 48), np.uint8))
    emotion = [sys.executable, "-m", "emotion"]
    done = small_disk(
        480,
        ["cp", "-r", str(old), "{disk}/models"],
        [*emotion, "train", "--fast", *faces, "--out", "{disk}/models"],
        ["diff", "-r", "--exclude", "fitted", str(old), "{disk}/models"],
        [*emotion, "predict", str(tmp_path / "face.png"), "--models", "{disk}/models"],
    )
    assert re.search(r"The models cannot be written to \S+/models: No space left on device\.", done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{tmp_path / 'face.png'}: Too dark: Angry 5/5"), (
        "and no difference before"
    )


@pytest.mark.hostile("that the table cannot be written, and why; the old one stays")
@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_a_file_that_may_not_grow_leaves_the_old_table(tmp_path: Path, name: str) -> None:
    limit = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
"""
    command = [sys.executable, "-c", FULL_DISK.format(limit=limit), str(tmp_path / name)]
    done = subprocess.run(command, cwd=config.ROOT, capture_output=True, text=True, timeout=60)
    said, left = done.stdout.splitlines()
    assert re.search(f"{name} cannot be written: .*[Ff]ile too large", said), done.stderr
    assert left == str([(name, "old")])


@pytest.mark.parametrize(
    ("address", "public"),
    [
        *((a, True) for a in ("93.184.216.34", "87.0.0.1", "2606:4700::1111")),
        *(
            (a, False)
            for a in ("10.0.0.1", "100.64.0.1", "224.0.0.1", "168.63.129.16", "192.88.99.1", "::1", "ff0e::1")
        ),
        *(
            (a, False)
            for a in ("64:ff9b::a00:1", "2002:a00:1::", "::10.0.0.1", "::ffff:10.0.0.1", "200::1", "fe80::1%lo")
        ),
        ("::ffff:93.184.216.34", False),
    ],
)
def test_the_judge_of_fuzzed_addresses_knows_the_networks_that_are_not_public(address: str, public: bool) -> None:
    """It is not to believe what it judges, nor all that the standard library calls global."""
    assert fuzz.is_public(address) is public
