"""The webcam page in a real browser: what a visitor sees, from Start to Stop."""

import base64
import math
import re
import time

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from playwright.sync_api import Locator, expect

from emotion import config, drawing
from emotion.faces import BGRImage, Box, FaceDetector, decode_image

FIRST_RESULT_SECONDS = 90.0
COLOUR_TOLERANCE = 70.0
"""Of blue, green and red together; the video's compression blurs thin lines, every grey is over 120 away."""

# Draws the <video> into a canvas and gives its pixels: that it "plays" would not show that frames were processed.
READ_VIDEO = """video => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 480];
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/png");
}"""


def camera_picture(shift: int | None) -> BGRImage:
    """A portrait on a grey ground, moved sideways, or the ground alone. All grey: any colour was drawn by the page."""
    picture = np.full((480, 640), 120, dtype=np.uint8)
    if shift is not None:
        portrait = cv2.cvtColor(skimage.data.astronaut()[0:250, 110:330], cv2.COLOR_RGB2GRAY)
        picture[120:370, 200 + shift : 420 + shift] = portrait
    return cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR).astype(np.uint8)


# Five seconds with a face, five without: longer than it takes from one vote to the next.
FACE_FRAMES = [camera_picture(round(6 * math.sin(number / 15))) for number in range(150)]
EMPTY_FRAMES = [camera_picture(None)] * 150


def shown(video: Locator) -> NDArray[np.int_]:
    """What the visitor sees, (480, 640, 3), blue-green-red."""
    data_url: str = video.evaluate(READ_VIDEO)
    return decode_image(base64.b64decode(data_url.partition(",")[2])).astype(int)


def drawn_share(picture_bgr: NDArray[np.int_], box: Box) -> float:
    """How much of the box's outline is there, in a colour of the boxes, a few pixels aside at most: 0 to 1."""
    colours = np.array(drawing.FACE_COLOURS_BGR[:3])
    distance = np.linalg.norm(picture_bgr[:, :, None] - colours, axis=-1).min(axis=-1)
    drawn = distance < COLOUR_TOLERANCE
    x, y, w, h = box
    aside = 16
    columns = [drawn[y : y + h, edge - aside : edge + aside].any(axis=1) for edge in (x, x + w)]
    rows = [drawn[edge - aside : edge + aside, x : x + w].any(axis=0) for edge in (y, y + h)]
    return min(float(edge.mean()) for edge in (*columns, *rows))


def test_webcam_shows_boxes_and_votes_until_the_face_leaves_and_until_stop(open_page, classes):
    [box] = FaceDetector(config.VIDEO_DETECTION_SIDE).detect(np.ascontiguousarray(camera_picture(0)[:, ::-1]))
    page = open_page(camera=FACE_FRAMES + EMPTY_FRAMES)
    component = page.frame_locator('iframe[title*="webrtc"]')
    component.get_by_role("button", name="Start").click()

    # The panel beside the video: the class, and a ballot of each model.
    expect(page.get_by_text("of 5 models agree")).to_be_visible(timeout=FIRST_RESULT_SECONDS * 1000)
    expect(page.get_by_role("heading", name=re.compile(f"^({'|'.join(map(re.escape, classes))})$"))).to_be_visible()
    for name in config.MODEL_NAMES:
        expect(page.get_by_role("cell", name=name, exact=True)).to_be_visible()

    # The video: a box around the face that the camera shows, in colours that the camera does not.
    deadline = time.monotonic() + FIRST_RESULT_SECONDS
    while (share := drawn_share(shown(component.locator("video")), box)) < 0.8:
        assert time.monotonic() < deadline, f"the video shows {share:.0%} of the box"
        page.wait_for_timeout(100)

    expect(page.get_by_text("No face", exact=True)).to_be_visible()
    component.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Press Start")).to_be_visible()


def test_a_refused_camera_is_explained_and_a_picture_asked_for_instead(open_page):
    page = open_page(allowed=False)
    page.frame_locator('iframe[title*="webrtc"]').get_by_role("button", name="Start").click()
    expect(page.get_by_text("allow it in the settings of this site, beside the address")).to_be_visible()
    expect(page.get_by_text("Choose a picture instead")).to_be_visible()


def test_a_page_on_plain_http_says_where_browsers_give_the_camera(open_page):
    page = open_page(far=True)
    expect(page.get_by_text("Browsers give the camera only to pages on https")).to_be_visible()
    expect(page.get_by_text("Choose a picture instead")).to_be_visible()
