"""How folder names become the names of expressions."""

import re
import unicodedata
from collections.abc import Iterable

_SPELLINGS = {"Suprise": "Surprise"}  # the spelling of the folder in a well-known data set


def label_of(folder_name: str) -> str:
    """Turn the name of a data set's folder into the label that is stored and shown.

    Parameters
    ----------
    folder_name : str
        Such as ``angry``, ``very_happy`` or ``Suprise``.

    Returns
    -------
    str, title case, words separated by one space; a label is returned as it is
    """
    # Names that are not UTF-8 arrive with surrogates, which no file can be written with.
    readable = folder_name.encode("utf-8", "backslashreplace").decode("utf-8")
    words = unicodedata.normalize("NFC", readable.replace("_", " ").casefold()).split()
    label = unicodedata.normalize("NFC", " ".join(word.capitalize() for word in words))
    return _SPELLINGS.get(label, label)


_EXPRESSIONS = frozenset(
    (
        *("angry", "anger", "disgust", "disgusted", "fear", "fearful", "afraid", "scared", "happy", "happiness", "joy"),
        *("neutral", "calm", "sad", "sadness", "surprise", "surprised", "suprise", "contempt", "contemptuous"),
    )
)


def names_expression(name: str) -> bool:
    """Tell whether the name of a folder is that of an expression which data sets have.

    Parameters
    ----------
    name : str, such as ``happy``, ``0_Angry`` or ``surprise_images``

    Returns
    -------
    bool
    """
    return not _EXPRESSIONS.isdisjoint(re.split(r"[^a-z]+", name.casefold()))


_CALM = re.compile(r"(?<![^\W_])(neutr|calm|normal|relaxed|at rest|no expression)", re.IGNORECASE)


def knows_calm(classes: Iterable[str]) -> bool:
    """Tell whether one of the classes means a calm face, by its English name.

    Parameters
    ----------
    classes : iterable of str

    Returns
    -------
    bool
    """
    return any(map(_CALM.search, classes))
