"""Cameras that are refused, unplugged, taken or put to sleep: the page says so, and what to do."""

from playwright.sync_api import Page, expect

from emotion.page.camera import CAUSES
from tests.browser.live import FACE_CAPTION, SWAYING, component, see, see_none, server_process, start

IN_OUR_HANDS = """
const ask = MediaDevices.prototype.getUserMedia;
MediaDevices.prototype.getUserMedia = async function (wish) {
  if (top.refusal) throw new DOMException(...top.refusal);
  const stream = await ask.call(this, wish);
  top.track = stream.getVideoTracks()[0];
  return stream;
};
const add = RTCPeerConnection.prototype.addTrack;
RTCPeerConnection.prototype.addTrack = function (...tracks) {
  top.connection = this;
  return top.sender = add.apply(this, tracks);
};
"""
"""Gives a test the camera's track, what sends it and its connection; the browser refuses where others have the camera.
"""

REFUSALS = [
    ("Could not start video source", "NotReadableError", "busy"),
    ("Starting videoinput failed", "AbortError", "busy"),
    ("", "OverconstrainedError", "overconstrained"),
    ("Requested device not found", "NotFoundError", "none"),
    ("Permission dismissed", "NotAllowedError", "dismissed"),
    ("Permission denied by system", "NotAllowedError", "denied"),
    ("Something new", "UnheardOfError", "other"),
]


def is_shown(page: Page, cause: str) -> None:
    see(page.get_by_text(CAUSES[cause]))


def test_each_refusal_of_the_browser_has_its_own_sentence_and_another_way_beside_it(open_page):
    """The browser's own words are for programmers, and "Press Start" is no help to whose camera is taken."""
    page = open_page(camera=SWAYING, script=IN_OUR_HANDS)
    see(page.get_by_text("Press Start and allow the browser"))
    for message, name, cause in REFUSALS:
        page.evaluate("refusal => { top.refusal = refusal; }", [message, name])
        start(page)
        is_shown(page, cause)
        see(page.get_by_text("Choose a picture instead"))
        see_none(page.get_by_text("Press Start and allow the browser"))
        if message:
            see_none(component(page).get_by_text(message))
    page.evaluate("top.refusal = null")
    start(page)
    see(page.get_by_text(FACE_CAPTION))
    see_none(page.get_by_text("Choose a picture instead"))


def test_a_camera_that_is_unplugged_takes_its_vote_along_and_can_be_started_again(open_page):
    page = open_page(camera=SWAYING, script=IN_OUR_HANDS)
    start(page)
    see(page.get_by_text(FACE_CAPTION))
    video = page.locator('iframe[title*="webrtc"]')
    expect(video).to_have_css("opacity", "1")
    page.evaluate("top.track.stop(); top.track.dispatchEvent(new Event('ended'))")
    is_shown(page, "ended")
    expect(video).to_have_css("opacity", "0.5")  # the vote in the last picture
    see(page.get_by_text("The last vote, "))
    see_none(page.get_by_text(FACE_CAPTION))
    component(page).get_by_role("button", name="Stop").click()
    start(page)
    see(page.get_by_text(FACE_CAPTION))
    see_none(page.get_by_text(CAUSES["ended"]))
    expect(video).to_have_css("opacity", "1")


def test_pictures_that_stop_are_missed_and_votes_come_back_with_them(open_page):
    """As where the computer sleeps, the network breaks off, or another program takes the camera: no event tells."""
    page = open_page(camera=SWAYING, script=IN_OUR_HANDS)
    start(page)
    see(page.get_by_text(FACE_CAPTION))
    page.evaluate("top.sender.replaceTrack(null)")
    is_shown(page, "stalled")
    see_none(page.get_by_text(FACE_CAPTION))
    page.evaluate("top.sender.replaceTrack(top.track)")
    see(page.get_by_text(FACE_CAPTION))
    see_none(page.get_by_text(CAUSES["stalled"]))


def test_who_stops_and_starts_while_the_server_is_busy_is_connected_anew(open_page, address):
    """It hears of both at once then, and is not to take the second session for the first one."""
    page = open_page(camera=SWAYING, script=IN_OUR_HANDS)
    start(page)
    see(page.get_by_text(FACE_CAPTION))
    server = server_process(address)
    server.suspend()
    try:
        component(page).get_by_role("button", name="Stop").click()
        page.evaluate("top.connection = null")
        start(page)
        page.wait_for_function("top.connection?.iceGatheringState == 'complete'")  # all of the offer is on its way
    finally:
        server.resume()
    page.wait_for_function("top.connection.connectionState == 'connected'")
    see(page.get_by_text(FACE_CAPTION))


def test_a_refused_camera_is_explained_and_a_picture_asked_for_instead(open_page):
    page = open_page(allowed=False)
    component(page).get_by_role("button", name="Start").click()
    see(page.get_by_text("allow it in the settings of this site, beside the address"))
    see(page.get_by_text("Choose a picture instead"))


def test_a_page_on_plain_http_says_where_browsers_give_the_camera(open_page):
    page = open_page(far=True)
    see(page.get_by_text("Browsers give the camera only to pages on https"))
    see(page.get_by_text("Choose a picture instead"))
