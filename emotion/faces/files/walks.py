"""What a walk through folders passes over, counted by the reason."""

import re
from collections import Counter
from typing import Final

from emotion.faces.files.kinds import NotAPictureError

_NAMED_AS_PICTURE: Final = re.compile(
    r"\.(jpe?g?|jfif|jif|png|apng|gif|webp|bmp|dib|tiff?|avif|hei[cf]s?|p[bgnp]m)$", re.IGNORECASE
)


def is_named_as_picture(name: str) -> bool:
    """Tell whether somebody who named a file so took it for a picture; what it is, only its content says."""
    return _NAMED_AS_PICTURE.search(name) is not None


class PassedOver(Counter[str]):
    """Counts files that a walk through folders does not look at, by the reason: an ending, or some words."""

    def add(self, name: str) -> None:
        """Count a file by how its name ends.

        Parameters
        ----------
        name : str, with or without folders
        """
        stem, dot, ending = name.rpartition("/")[2].rpartition(".")
        self[f".{ending.lower()}" if stem and dot and ending else "without ending"] += 1

    def __str__(self) -> str:
        """A sentence, such as "42 files passed over: 30 .txt, 12 at another depth."; empty where there are none."""
        if not self:
            return ""
        reasons = ", ".join(
            f"{n:,} {reason}" for reason, n in sorted(self.items(), key=lambda item: (-item[1], item[0]))
        )
        return f"{self.total():,} {'file' if self.total() == 1 else 'files'} passed over: {reasons}."


def is_to_be_told(name: str, error: NotAPictureError) -> bool:
    """Tell whether a file that is no picture is to be told by its name, and not only counted among what is passed over.

    Parameters
    ----------
    name : str
    error : NotAPictureError, that says what it is

    Returns
    -------
    bool: whether it is a picture of a format that is not read, or is named as a picture
    """
    return error.kind.family == "other picture" or is_named_as_picture(name)
