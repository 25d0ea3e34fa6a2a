"""What a visitor has shown of one face: in memory, as long as the page is open, and nowhere else."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from emotion.faces.crop import FaceVector
from emotion.labels import label_of
from emotion.page.camera import StreamProcessor
from emotion.streams.posing import Posing
from emotion.vote.ensemble import Ensemble
from emotion.vote.person.examples import Examples, examples_of
from emotion.vote.person.learning import personal
from emotion.vote.person.trial import Trial, tried


@dataclass(frozen=True)
class Learnt:
    """Models that learnt the face.

    Attributes
    ----------
    examples : Examples
    models : Ensemble
    trial : Trial, what was gained
    """

    examples: Examples
    models: Ensemble
    trial: Trial


@dataclass
class Face:
    """One visitor's face.

    Attributes
    ----------
    taken : list of (str, ndarray of shape (2304,), uint8), what each face shows, and the face
    opened : Examples, optional, those of a file
    own_labels : list of str, expressions that the models do not have
    learnt : Learnt, optional, from what there is now
    used : Learnt, optional, what votes for this visitor
    outdated : bool, whether other models were chosen since
    told : list of str, what came of the files that were last taken
    posed : str, what came of the expression that was last posed
    last : str, that expression
    posing : Posing
    stream : StreamProcessor, optional, the video in which the visitor poses
    """

    taken: list[tuple[str, FaceVector]] = field(default_factory=list)
    opened: Examples | None = None
    own_labels: list[str] = field(default_factory=list)
    learnt: Learnt | None = None
    used: Learnt | None = None
    outdated: bool = False
    told: list[str] = field(default_factory=list)
    posed: str = ""
    last: str = ""
    posing: Posing = field(default_factory=Posing)
    stream: StreamProcessor | None = None

    def counts(self) -> Counter[str]:
        """Count the examples of each expression."""
        return Counter([*(self.opened.labels if self.opened else ()), *(label for label, _ in self.taken)])

    def labels(self, classes: tuple[str, ...]) -> list[str]:
        """List what can be shown: what the models tell apart, then what else there is.

        Parameters
        ----------
        classes : tuple of str

        Returns
        -------
        list of str
        """
        return list(dict.fromkeys([*classes, *self.own_labels, *self.counts()]))

    def add_label(self, text: str) -> str:
        """Add an expression that the models do not have.

        Parameters
        ----------
        text : str, as typed

        Returns
        -------
        str, its label; empty where nothing was typed
        """
        if label := label_of(text):
            self.own_labels.append(label)
        return label

    def add(self, label: str, faces: list[FaceVector]) -> None:
        """Add examples.

        Parameters
        ----------
        label : str
        faces : list of ndarray of shape (2304,), uint8, 0-255
        """
        if faces:
            self.taken += [(label, face) for face in faces]
            self.learnt = None

    def discard(self, label: str) -> None:
        """Forget all examples of an expression.

        Parameters
        ----------
        label : str
        """
        self.taken = [(shown, face) for shown, face in self.taken if shown != label]
        if self.opened is not None:
            kept = self.opened.rows([shown != label for shown in self.opened.labels])
            self.opened = kept if len(kept) else None
        self.learnt = None

    def open(self, examples: Examples) -> None:
        """Take the examples of a file in place of what there is.

        Parameters
        ----------
        examples : Examples
        """
        self.taken, self.opened, self.learnt = [], examples, None

    def learn(self, models: Ensemble) -> None:
        """Have models learn what there is, an example at least, and try what that gained.

        Parameters
        ----------
        models : Ensemble, that knows nobody

        Raises
        ------
        PersonalError
            If there are too few or too many examples or labels.
        """
        self.learnt = None
        if self.opened is not None and not self.taken:
            examples = self.opened
        else:
            X = np.stack([face for _, face in self.taken])
            examples = examples_of(models, X, [label for label, _ in self.taken], self.opened)
        self.learnt = Learnt(examples, personal(models, examples), tried(models, examples))
        self.outdated = False

    def keep_for(self, checksum: str) -> None:
        """Forget what other models made of the face, and learnt; the faces that were taken stay.

        Parameters
        ----------
        checksum : str, of the models that are chosen now
        """
        held = [self.opened, *(learnt.examples for learnt in (self.learnt, self.used) if learnt)]
        if any(examples and examples.fits != checksum for examples in held):
            self.opened = self.learnt = self.used = None
            self.outdated = True
