"""Faces keep their number and their box through a video."""

import pytest

from emotion.faces.detect import Box
from emotion.faces.tracking import FADING_SECONDS, GONE_SECONDS, PATIENCE_SECONDS, UNSEEN_SECONDS, FaceTracker, overlap

LEFT, RIGHT = Box(0, 0, 100, 100), Box(300, 0, 80, 80)


def stays(box: Box) -> Box:
    return box


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [(LEFT, LEFT, 1.0), (LEFT, RIGHT, 0.0), (LEFT, Box(50, 0, 100, 100), 1 / 3), (LEFT, Box(100, 0, 9, 9), 0.0)],
)
def test_overlap_is_intersection_over_union(a, b, share):
    assert overlap(a, b) == pytest.approx(share)
    assert overlap(b, a) == pytest.approx(share)


def test_a_face_fades_before_it_is_gone_and_is_back_at_once():
    tracker = FaceTracker()
    tracker.see([LEFT], 0.0)
    just_before, later = FADING_SECONDS - 0.01, FADING_SECONDS + 0.01
    assert [track.is_fading(just_before) for track in tracker.visible(just_before)] == [False]
    assert [track.is_fading(later) for track in tracker.visible(later)] == [True]
    assert not tracker.visible(GONE_SECONDS + 0.01)
    tracker.follow(stays, later)
    assert [track.is_fading(later) for track in tracker.visible(later)] == [False]


def test_two_faces_keep_their_numbers_whatever_the_order_they_are_found_in():
    tracker = FaceTracker()
    assert list(tracker.see([LEFT, RIGHT], 0.0).values()) == [1, 2]
    assert list(tracker.see([RIGHT, LEFT], 0.5).values()) == [2, 1]
    assert [track.number for track in tracker.tracks] == [1, 2]  # largest first


def test_a_box_moves_with_its_face_between_searches():
    tracker = FaceTracker()
    tracker.see([LEFT], 0.0)
    for frame in range(1, 30):
        tracker.follow(lambda box: box._replace(x=box.x + 10), frame / 30)
    assert tracker.tracks[0].box.x == 290
    # A search of an old frame ends late: its box must not throw the followed one back.
    tracker.see([Box(270, 0, 100, 100)], 0.9)
    assert [(track.number, track.box.x) for track in tracker.tracks] == [(1, 290)]


def test_a_face_that_left_loses_its_box_and_comes_back_as_a_new_one():
    tracker = FaceTracker()
    tracker.see([LEFT], 0.0)
    tracker.follow(lambda box: None, PATIENCE_SECONDS)
    assert len(tracker.tracks) == 1, "a blink must not take the box away"
    tracker.follow(lambda box: None, PATIENCE_SECONDS + 0.1)
    assert not tracker.tracks
    assert list(tracker.see([LEFT], 5.0).values()) == [2]


def test_what_no_search_finds_is_not_followed_for_ever():
    tracker = FaceTracker()
    tracker.see([LEFT], 0.0)
    now = 0.0
    while now < UNSEEN_SECONDS + 1:
        now += 0.1
        tracker.follow(stays, now)
        tracker.see([], now)
    assert not tracker.tracks


def test_two_boxes_that_run_into_each_other_become_one():
    tracker = FaceTracker()
    tracker.see([LEFT, RIGHT], 0.0)
    tracker.follow(lambda box: LEFT, 0.1)
    assert [track.number for track in tracker.tracks] == [1]


def test_a_face_that_has_left_takes_its_box_along_and_one_behind_a_hand_keeps_its_number() -> None:
    tracker = FaceTracker()
    tracker.see([Box(10, 10, 50, 50)], 0.0)
    tracker.follow(lambda box: None, 0.4)
    assert [track.number for track in tracker.visible(0.4)] == [1]
    tracker.follow(lambda box: None, GONE_SECONDS + 0.1)
    assert tracker.visible(GONE_SECONDS + 0.1) == ()
    assert list(tracker.see([Box(12, 10, 50, 50)], PATIENCE_SECONDS - 0.1).values()) == [1]
    assert [track.number for track in tracker.visible(PATIENCE_SECONDS)] == [1]


def test_two_boxes_on_one_face_are_one_before_they_are_numbered():
    """Else the second is a new face at each search: its numbers run up, and each asks for a vote of its own."""
    tracker = FaceTracker()
    whole, within = Box(100, 100, 140, 140), Box(118, 118, 104, 104)
    assert overlap(whole, within) > 0.5
    for second in range(6):
        assert tracker.see([whole, within, RIGHT], float(second)) == {0: 1, 2: 2}
    assert tracker.see([RIGHT], 6.0) == {0: 2}
