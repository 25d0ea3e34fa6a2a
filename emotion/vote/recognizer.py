"""A picture -> its faces, each with the vote of the five models."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from emotion import config
from emotion.faces.crop import FaceVector, find_faces
from emotion.faces.decode import Decoded
from emotion.faces.detect import Box, Detection, FaceDetector
from emotion.faces.fitness import Fitness, fitness, why_no_face
from emotion.faces.pixels import BGRImage
from emotion.faces.yunet import Effort, YuNetDetector
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
    fitness : Fitness, how the face was found; votes on one that is not fit to be judged are uncertain
    """

    box: Box
    vote: Vote
    vector: FaceVector
    fitness: Fitness


class Recognizer:
    """Finds the faces of pictures and lets the models vote on each. May be shared between threads.

    Parameters
    ----------
    models : Ensemble
    detector : FaceDetector, by default YuNet
    """

    def __init__(self, models: Ensemble, detector: FaceDetector | None = None) -> None:
        self.models = models
        self.detector = detector or YuNetDetector()

    def recognize(self, image_bgr: BGRImage | Image.Image, *, whole: bool = False) -> list[FaceEmotion]:
        """Find the faces of a picture, each with its vote.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, or what else
            `emotion.faces.pixels.as_bgr` takes: a grey one, one with opacity, a picture of Pillow's
        whole : bool, whether the whole picture is one face, and none is sought

        Returns
        -------
        list of FaceEmotion, largest face first; empty where there is no face

        Raises
        ------
        ValueError
            If the picture is something else: None, a path, of another dtype or shape.
        DetectorError
            If the detector's file is missing or is another one.
        """
        return self.vote(self.find(image_bgr, whole=whole))

    def recognize_in(self, decoded: Decoded) -> list[FaceEmotion]:
        """Find the faces of a picture file, each with its vote.

        Parameters
        ----------
        decoded : Decoded

        Returns
        -------
        list of FaceEmotion, largest face first, their boxes in pixels of the file, also where it was read reduced

        Raises
        ------
        DetectorError
            If the detector's file is missing or is another one.
        """
        return self.vote(self.find_in(decoded))

    def find(self, image_bgr: BGRImage | Image.Image, *, whole: bool = False) -> list[tuple[Detection, FaceVector]]:
        """Find the faces of a picture; see `emotion.faces.crop.find_faces`.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, or what else
            `emotion.faces.pixels.as_bgr` takes: a grey one, one with opacity, a picture of Pillow's
        whole : bool, whether the whole picture is one face, and none is sought

        Returns
        -------
        list of (Detection, ndarray of shape (2304,), uint8), largest face first

        Raises
        ------
        ValueError
            If the picture is something else: None, a path, of another dtype or shape.
        DetectorError
            If the detector's file is missing or is another one.
        """
        return find_faces(image_bgr, self.detector, whole=whole)

    def find_in(self, decoded: Decoded) -> list[tuple[Detection, FaceVector]]:
        """Find the faces of a picture file.

        Parameters
        ----------
        decoded : Decoded

        Returns
        -------
        list of (Detection, ndarray of shape (2304,), uint8), largest face first, their boxes in pixels of the file

        Raises
        ------
        DetectorError
            If the detector's file is missing or is another one.
        """
        found = self.find(decoded.image_bgr)
        if decoded.reduced == 1:
            return found
        return [
            (replace(face, box=Box(*(edge * decoded.reduced for edge in face.box))), vector) for face, vector in found
        ]

    def vote(self, found: Sequence[tuple[Detection, FaceVector]]) -> list[FaceEmotion]:
        """Let the models vote on faces; votes on those that are not fit to be judged are uncertain.

        Parameters
        ----------
        found : sequence of (Detection, ndarray of shape (2304,), uint8, 0-255), as `find` gives them

        Returns
        -------
        list of FaceEmotion, in the same order
        """
        votes = self.models.vote(np.stack([vector for _, vector in found])) if found else []
        faces = []
        for (face, vector), vote in zip(found, votes, strict=True):
            fit = fitness(face, vector)
            faces.append(FaceEmotion(face.box, vote.on_unfit(fit.reason), vector, fit))
        return faces


class VideoRecognizer(Recognizer):
    """A recogniser for the frames of a video: one quick look at each, and a way to find a face again.

    Parameters
    ----------
    models : Ensemble
    """

    def __init__(self, models: Ensemble) -> None:
        self._video_detector = YuNetDetector(config.VIDEO_SIDES, effort=Effort.QUICK)
        super().__init__(models, self._video_detector)

    def find_near(self, image_bgr: BGRImage, box: Box) -> Box | None:
        """Find a face again in the next frame of a video; see `emotion.faces.yunet.YuNetDetector.find_near`.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
        box : Box, pixels, where the face was

        Returns
        -------
        Box, or None if no face is there

        Raises
        ------
        DetectorError
            If the detector's file is missing or is another one.
        """
        return self._video_detector.find_near(image_bgr, box)

    def why_no_face(self, image_bgr: BGRImage) -> str:
        """Say why no face was found; see `emotion.faces.fitness.why_no_face`.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

        Returns
        -------
        str, one sentence

        Raises
        ------
        DetectorError
            If the detector's file is missing or is another one.
        """
        return why_no_face(image_bgr)
