"""Which face of a video is which: by its place from one look to the next; after a cut or an absence, by the colours of
hair and clothes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from emotion.faces.detect import Box
from emotion.faces.tracking import MATCHING_OVERLAP, FaceTracker, Track, overlap
from emotion.streams.films.colours import Colours, Thumbnail, is_cut, likeness

LEAST_ALIKE: Final = 0.9
"""From here on, a new face is taken for one that was there before: `emotion.streams.films.colours.likeness`. Of people
who stand side by side in a picture, one pair in twelve is so alike; of one who moved a little in other light, four in
five (benchmarks/films.py)."""
LEAST_ALIKE_IN_PLACE: Final = 0.8
"""The same for a face in the very place of that one, in a picture like the one in which that was seen last: somebody
who looked away, or to whom the film cuts back."""
_NEWEST_SHARE: Final = 0.2
"""Of what is known of a face's colours, what the newest look counts."""
_MOST_KNOWN: Final = 100
"""People; of those who were not seen for longest, nothing is kept."""


@dataclass
class _Known:
    colours: Colours
    box: Box
    scene: Thumbnail
    seen_at: float

    def is_again(self, colours: Colours, box: Box, scene: Thumbnail) -> float:
        """Say how alike a new face is, 0-1; 0 where it is not enough."""
        alike = likeness(colours, self.colours)
        in_place = overlap(box, self.box) > MATCHING_OVERLAP and not is_cut(self.scene, scene)
        return alike if alike >= (LEAST_ALIKE_IN_PLACE if in_place else LEAST_ALIKE) else 0.0

    def as_stored(self) -> list[Any]:
        return [self.colours.tolist(), list(self.box), self.scene.tolist(), self.seen_at]

    @classmethod
    def read(cls, stored: Sequence[Any]) -> "_Known":
        colours, box, scene, seen_at = stored
        return cls(np.array(colours, dtype=np.float32), Box(*box), np.array(scene, dtype=np.int16), seen_at)


class KnownFaces:
    """What is known of the faces of a video, to know again those who come back. Not for several threads at once."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}

    def again(self, new: Mapping[int, tuple[Colours, Box, Thumbnail]], here: Collection[int]) -> dict[int, int]:
        """Find those of the new faces that were there before, the most alike first.

        Parameters
        ----------
        new : mapping of int to (Colours, Box, Thumbnail of the frame), of faces that were just found
        here : collection of int, numbers of faces that are there, and of which a new one is none

        Returns
        -------
        dict of int to int, from the key of a new face to the number that it had
        """
        pairs = sorted(
            (-known.is_again(*look), key, own)
            for key, look in new.items()
            for own, known in self._known.items()
            if own not in here
        )
        again: dict[int, int] = {}
        for unlike, key, own in pairs:
            if unlike < 0 and key not in again and own not in again.values():
                again[key] = own
        return again

    def learn(self, number: int, colours: Colours, box: Box, scene: Thumbnail, at: float) -> None:
        """Take over what a face looks like.

        Parameters
        ----------
        number : int, of the face
        colours : Colours
        box : Box, pixels
        scene : Thumbnail of the frame
        at : float, seconds
        """
        known = self._known.get(number)
        if known is not None:
            newest = np.where(known.colours.any(axis=1), _NEWEST_SHARE, 1.0) * colours.any(axis=1)
            colours = known.colours + newest[:, None] * (colours - known.colours)
        self._known[number] = _Known(colours.astype(np.float32), box, scene, at)
        if len(self._known) > _MOST_KNOWN:
            del self._known[min(self._known, key=lambda own: self._known[own].seen_at)]

    def as_stored(self) -> list[list[Any]]:
        """Give what is known, for `read`.

        Returns
        -------
        list, of which JSON keeps every digit
        """
        return [[number, *known.as_stored()] for number, known in self._known.items()]

    @classmethod
    def read(cls, stored: Sequence[Sequence[Any]]) -> "KnownFaces":
        """Go on with what `as_stored` gave.

        Parameters
        ----------
        stored : sequence

        Returns
        -------
        KnownFaces

        Raises
        ------
        TypeError, ValueError
            If it is anything else.
        """
        faces = cls()
        faces._known = {number: _Known.read(known) for number, *known in stored}
        return faces


class FilmFaces:
    """Gives the faces of a film numbers that stay theirs. Not for several threads at once.

    Numbers are from 1 on, in the order of appearance.
    """

    def __init__(self) -> None:
        self._tracker = FaceTracker()
        self._numbers: dict[int, int] = {}
        self._known = KnownFaces()
        self._given = 0
        self._scene: Thumbnail | None = None

    def see(self, boxes: Sequence[Box], colours: Sequence[Colours], scene: Thumbnail, at: float) -> dict[int, int]:
        """Take over what a search of a whole frame has found.

        Parameters
        ----------
        boxes : sequence of Box
        colours : sequence of Colours, of each
        scene : Thumbnail of the frame
        at : float, seconds, later than those before

        Returns
        -------
        dict of int to int, from the place of a box among `boxes` to the number of its face; of two boxes on one face,
        one
        """
        if self._scene is not None and is_cut(self._scene, scene):
            self._tracker.forget()
        self._scene = scene
        tracked = self._tracker.see(boxes, at)
        alive = {track.number for track in self._tracker.tracks}
        self._numbers = {number: own for number, own in self._numbers.items() if number in alive}
        new = [place for place, number in tracked.items() if number not in self._numbers]
        here = {self._numbers[number] for number in tracked.values() if number in self._numbers}
        for place, own in self._known.again(
            {place: (colours[place], boxes[place], scene) for place in new}, here
        ).items():
            # A face that is followed in another place by now is not there twice.
            self._numbers = {number: other for number, other in self._numbers.items() if other != own}
            self._numbers[tracked[place]] = own
        for place in new:
            if tracked[place] not in self._numbers:
                self._given += 1
                self._numbers[tracked[place]] = self._given
        numbers = {place: self._numbers[number] for place, number in tracked.items()}
        for place, own in numbers.items():
            self._known.learn(own, colours[place], boxes[place], scene, at)
        return numbers

    def as_stored(self) -> dict[str, Any]:
        """Give what is known, for `read`.

        Returns
        -------
        dict, of which JSON keeps every digit
        """
        return {
            "tracks": [[t.number, list(t.box), t.found_at, t.seen_at] for t in self._tracker.tracks],
            "next_track": self._tracker.next_number,
            "numbers": list(self._numbers.items()),
            "known": self._known.as_stored(),
            "given": self._given,
            "scene": None if self._scene is None else self._scene.tolist(),
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "FilmFaces":
        """Go on with what `as_stored` gave.

        Parameters
        ----------
        stored : mapping

        Returns
        -------
        FilmFaces

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is anything else.
        """
        faces = cls()
        tracks = [Track(number, Box(*box), found_at, seen_at) for number, box, found_at, seen_at in stored["tracks"]]
        faces._tracker = FaceTracker(tracks, stored["next_track"])
        faces._numbers = dict(stored["numbers"])
        faces._known = KnownFaces.read(stored["known"])
        faces._given = stored["given"]
        faces._scene = None if stored["scene"] is None else np.array(stored["scene"], dtype=np.int16)
        return faces
