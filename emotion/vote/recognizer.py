"""A picture -> its faces, each with the vote of the five models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emotion import config
from emotion.faces.crop import FaceVector, find_faces
from emotion.faces.decode import BGRImage, GreyImage
from emotion.faces.detect import Box, FaceDetector
from emotion.vote.ensemble import Ensemble
from emotion.vote.voting import Vote


@dataclass(frozen=True, slots=True)
class FaceEmotion:
    """One face of a picture.

    Attributes
    ----------
    box : Box (x, y, w, h), pixels
    vote : Vote
    vector : ndarray of shape (2304,), uint8, 0-255: the face as the models see it
    """

    box: Box
    vote: Vote
    vector: FaceVector


class Recognizer:
    """Finds the faces of pictures and lets the models vote on each. May be shared between threads.

    Parameters
    ----------
    models : Ensemble
    longest_side : int, pixels
        Faces are sought in a picture reduced to this; they are cut out of the full one.
    """

    def __init__(self, models: Ensemble, longest_side: int = config.DETECTION_SIDE) -> None:
        self.models = models
        self._detector = FaceDetector(longest_side)

    def recognize(self, image_bgr: BGRImage) -> list[FaceEmotion]:
        """Find the faces of a picture, each with its vote.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

        Returns
        -------
        list of FaceEmotion, largest face first; empty where there is no face

        Raises
        ------
        ValueError
            If the picture is None, or has another shape or dtype.
        DetectorError
            If the detector's cascade file is missing or is not a cascade.
        """
        found = self.find(image_bgr)
        votes = self.vote([vector for _, vector in found])
        return [FaceEmotion(box, vote, vector) for (box, vector), vote in zip(found, votes, strict=True)]

    def find(self, image_bgr: BGRImage) -> list[tuple[Box, FaceVector]]:
        """Find the faces of a picture; see `emotion.faces.crop.find_faces`.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

        Returns
        -------
        list of (Box, ndarray of shape (2304,), uint8), largest face first

        Raises
        ------
        ValueError
            If the picture is None, or has another shape or dtype.
        DetectorError
            If the detector's cascade file is missing or is not a cascade.
        """
        return find_faces(image_bgr, self._detector)

    def find_near(self, grey: GreyImage, box: Box) -> Box | None:
        """Find a face again in the next frame of a video; see `emotion.faces.detect.FaceDetector.find_near`.

        Parameters
        ----------
        grey : ndarray of shape (height, width), uint8, 0-255
        box : Box, pixels, where the face was

        Returns
        -------
        Box, or None if no face is there

        Raises
        ------
        DetectorError
            If the detector's cascade file is missing or is not a cascade.
        """
        return self._detector.find_near(grey, box)

    def vote(self, vectors: Sequence[FaceVector]) -> list[Vote]:
        """Let the models vote on faces.

        Parameters
        ----------
        vectors : sequence of ndarray of shape (2304,), uint8, 0-255

        Returns
        -------
        list of Vote, one a face
        """
        return self.models.vote(np.stack(vectors)) if vectors else []
