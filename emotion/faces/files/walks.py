"""What a walk through folders passes over, counted by the reason."""

import re
from collections import Counter
from pathlib import PurePosixPath
from typing import Final

from emotion.faces.files.kinds import NotAPictureError

PICTURE_ENDINGS: Final = "jpe?g?|jfif|jif|png|apng|gif|webp|bmp|dib|tiff?|avif|hei[cf]s?|p[bgnp]m"
"""How names of pictures end: a pattern. What a file is, only its content says."""


_FILM_ENDINGS: Final = "mp4|m4v|mov|qt|webm|mkv|avi|mts|m2ts|ts|mpe?g|mpv|vob|3gp|3g2|wmv|asf|flv|f4v|ogv|gif"


def is_named_as_picture(name: str) -> bool:
    """Tell whether somebody who named a file so took it for a picture."""
    return re.search(rf"\.({PICTURE_ENDINGS})$", name, re.IGNORECASE) is not None


def is_named_as_film(name: str) -> bool:
    """Tell whether somebody who named a file so took it for something that moves."""
    return re.search(rf"\.({_FILM_ENDINGS})$", name, re.IGNORECASE) is not None


_LITTER: Final = frozenset(
    {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information"}
)
"""What operating systems leave in folders, besides hidden files."""

_MOST_REASONS: Final = 8


def is_litter(name: str) -> bool:
    """Tell what nobody put there to be looked at: hidden files, and what operating systems leave behind."""
    return name.startswith(".") or name.casefold() in _LITTER


def ending_of(name: str) -> str:
    """Say how a file is called, for counting: by its ending in small letters, as in ``.txt``, or ``without ending``."""
    ending = PurePosixPath(name).suffix.lower()
    return ending if re.fullmatch(r"\.\w{1,12}", ending) else "without ending"


class PassedOver(Counter[str]):
    """Counts files that a walk through folders does not look at, by the reason: an ending, or some words."""

    def add(self, name: str) -> None:
        """Count a file by how its name ends.

        Parameters
        ----------
        name : str, with or without folders
        """
        self[ending_of(name)] += 1

    @property
    def reasons(self) -> str:
        """How many there are for each reason, as in "30 .txt, 12 at another depth"; after eight reasons, all others."""
        rows = sorted(self.items(), key=lambda row: (-row[1], row[0]))
        shown = [f"{count:,} {reason}" for reason, count in rows[:_MOST_REASONS]]
        if more := sum(count for _, count in rows[_MOST_REASONS:]):
            shown.append(f"{more:,} others")
        return ", ".join(shown)

    def __str__(self) -> str:
        """A sentence, such as "42 files passed over: 30 .txt, 12 at another depth."; empty where there are none."""
        over = self.total()
        return f"{over:,} file{'s' * (over > 1)} passed over: {self.reasons}." if over else ""


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
