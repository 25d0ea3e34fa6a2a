"""Which face of a frame is which face of the frames before, so that a box moves with its face and keeps its number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from emotion.faces.detect import Box

MATCHING_OVERLAP: Final = 0.2
"""Two boxes are of one face if they share more than this part of what they cover together."""

SAME_OVERLAP: Final = 0.5
"""Two boxes that share more lie on one face."""

FADING_SECONDS: Final = 0.2
"""A face that was not found for longer fades: it may have left, or have turned away for an instant."""

GONE_SECONDS: Final = 0.5
"""A face that was not found for longer is not shown: it may have left."""

PATIENCE_SECONDS: Final = 1.5
"""How long a face that is not found again keeps its number: it may be behind a hand."""

UNSEEN_SECONDS: Final = 3.0
"""How long a face is followed without any search of the whole frame finding it: following takes less for a face, and
would cling to a pattern on the wall."""

MOST_FOLLOWED: Final = 6
"""Only the largest faces are followed from frame to frame, others from one search of the whole frame to the next: the
time for a frame must not grow with a crowd."""


@dataclass(frozen=True, slots=True)
class Track:
    """A face that is followed.

    Attributes
    ----------
    number : int, from 1; another face never has it
    box : Box, pixels, where the face was last found
    found_at : float, seconds, when that was
    seen_at : float, seconds, when a search of the whole frame last found it
    """

    number: int
    box: Box
    found_at: float
    seen_at: float

    def is_fading(self, now: float) -> bool:
        """Whether it was not found for a moment, so that it may have left."""
        return now - self.found_at > FADING_SECONDS


def overlap(a: Box, b: Box) -> float:
    """Measure how far two boxes are the same: their intersection over their union.

    Parameters
    ----------
    a, b : Box, pixels, not empty

    Returns
    -------
    float, 0-1
    """
    width = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    height = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    shared = max(0, width) * max(0, height)
    return shared / (a.area + b.area - shared)


class FaceTracker:
    """Follows faces through a video. Not for several threads at once.

    Attributes
    ----------
    tracks : tuple of Track, largest box first
    next_number : int, which the next new face is given
    """

    def __init__(self, tracks: Sequence[Track] = (), next_number: int = 1) -> None:
        self.tracks = tuple(tracks)
        self.next_number = next_number

    def forget(self) -> None:
        """Take whatever is seen next for new faces: another scene begins."""
        self.tracks = ()

    def visible(self, now: float) -> tuple[Track, ...]:
        """Give the faces that are to be shown.

        Parameters
        ----------
        now : float, seconds

        Returns
        -------
        tuple of Track, largest box first
        """
        return tuple(track for track in self.tracks if now - track.found_at <= GONE_SECONDS)

    def follow(self, find_near: Callable[[Box], Box | None], now: float) -> None:
        """Look for each face where it was in the frame before.

        Parameters
        ----------
        find_near : function of a Box that gives the box of the face found there, if any
        now : float, seconds, of the frame
        """
        followed = [
            track if (box := find_near(track.box)) is None else replace(track, box=box, found_at=now)
            for track in self.tracks[:MOST_FOLLOWED]
        ]
        self._keep([*followed, *self.tracks[MOST_FOLLOWED:]], now)

    def see(self, boxes: Sequence[Box], now: float) -> dict[int, int]:
        """Take over what a search of a whole frame has found.

        A box belongs to the face that it overlaps most; what overlaps none is a new face. Of two boxes on one face, the
        first counts. A face that was followed into a later frame than the one that was searched stays where it was
        followed to.

        Parameters
        ----------
        boxes : sequence of Box
        now : float, seconds, of the frame that was searched

        Returns
        -------
        dict of int to int, from the place of a box among `boxes` to the number of its face, in order of places
        """
        places = [b for b, box in enumerate(boxes) if all(overlap(box, other) <= SAME_OVERLAP for other in boxes[:b])]
        pairs = sorted(
            ((overlap(track.box, boxes[b]), t, b) for t, track in enumerate(self.tracks) for b in places),
            reverse=True,
        )
        of_box: dict[int, Track] = {}
        taken: set[int] = set()
        for shared, t, b in pairs:
            if shared > MATCHING_OVERLAP and t not in taken and b not in of_box:
                taken.add(t)
                of_box[b] = self.tracks[t]
        seen = {}
        for b in places:
            track = of_box.get(b)
            if track is None:
                track = Track(self.next_number, boxes[b], now, now)
                self.next_number += 1
            elif track.found_at <= now:
                track = replace(track, box=boxes[b], found_at=now, seen_at=now)
            else:
                track = replace(track, seen_at=now)
            seen[b] = track
        self._keep([*seen.values(), *(track for t, track in enumerate(self.tracks) if t not in taken)], now)
        kept = {track.number for track in self.tracks}
        return {b: track.number for b, track in seen.items() if track.number in kept}

    def rename(self, numbers: Mapping[int, int]) -> None:
        """Give faces that were just seen for the first time numbers that they had before.

        Parameters
        ----------
        numbers : mapping of int to int, from the number of a face to the one that it had; who is followed with that one
            where it was before is followed no more
        """
        gone = set(numbers.values())
        tracks = [
            replace(track, number=numbers.get(track.number, track.number))
            for track in self.tracks
            if track.number not in gone
        ]
        self.tracks = tuple(sorted(tracks, key=lambda track: (-track.box.area, track.number)))
        while self.next_number - 1 in numbers:
            self.next_number -= 1

    def _keep(self, tracks: Sequence[Track], now: float) -> None:
        """Drop faces that were long not found, and all but the older of two that have run into each other."""
        kept: list[Track] = []
        for track in sorted(tracks, key=lambda track: track.number):
            twice = any(overlap(track.box, other.box) > SAME_OVERLAP for other in kept)
            there = now - track.found_at <= PATIENCE_SECONDS and now - track.seen_at <= UNSEEN_SECONDS
            if there and not twice:
                kept.append(track)
        self.tracks = tuple(sorted(kept, key=lambda track: (-track.box.area, track.number)))
