"""What can go wrong, each as one sentence that a user may read and act upon.

Whatever a caller can cause (a bad address, a broken file, a wrong table) is raised as a child of `EmotionError`;
anything else that escapes is a fault of this program and keeps its traceback.
"""

import email.utils
import math
from datetime import UTC, datetime
from typing import Final


class EmotionError(Exception):
    """Base of all errors whose text is written for the user. `str(error)` is one sentence or two, no traceback."""


class ImageError(EmotionError):
    """The bytes are not a picture that can be read, or the picture is too large."""


class FilmError(EmotionError):
    """A film cannot be opened or read, or what is asked for of it cannot be had."""


class NoVideoError(FilmError):
    """A file of the kind that films are holds sound only."""


class DetectorError(EmotionError):
    """The file of the face detector is missing or damaged."""


class FetchError(EmotionError):
    """An address is refused, or what is behind it cannot be had within the limits."""


_INSTEAD: Final = "open the address in your browser, save the {what}, and use the file"
_STATUSES: Final = {
    401: f"The server wants a login first (status 401): {_INSTEAD}.",
    403: f"The server gives this to its own pages only, or to people who signed in (status 403): {_INSTEAD}.",
    404: "There is nothing at this address (status 404): check it, or copy it anew.",
    410: "What was at this address is gone (status 410): use another one.",
    451: "The server may not give this out, for legal reasons (status 451): use another {what}.",
}


class StatusError(FetchError):
    """A server answered with another status than 200.

    Parameters
    ----------
    status : int, of HTTP
    retry_after : str, that header's value: seconds or a date (RFC 9110, 10.2.3), or empty
    what : str, what was asked for, as in "picture"
    """

    def __init__(self, status: int, retry_after: str = "", what: str = "picture") -> None:
        told = f"The server answered with status {status} and no {what}: check the address."
        if status == 429:
            told = f"The server was asked too often (status 429): try again {_when(retry_after)}."
        elif 500 <= status < 600:
            told = f"The server is out of order (status {status}): try again {_when(retry_after)}."
        super().__init__(_STATUSES.get(status, told).format(what=what))


def _when(retry_after: str) -> str:
    try:
        if retry_after.isdecimal():
            seconds = float(retry_after)
        else:
            moment = email.utils.parsedate_to_datetime(retry_after)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return "later"
    unit, length = next(((u, n) for u, n in (("second", 1), ("minute", 60)) if seconds <= 90 * n), ("hour", 3600))
    count = max(1, math.ceil(seconds / length)) if seconds < _LONG else 0
    return f"in {count} {unit}{'' if count == 1 else 's'}" if count else "later"


_LONG: Final = 48 * 3600
"""Seconds; nobody waits for longer."""


class WebPageError(FetchError):
    """An address leads to a web page where a picture was asked for.

    Parameters
    ----------
    told : str
    main_picture : str, the address of the picture that the page names as its main one, if it names any
    """

    def __init__(self, told: str, main_picture: str = "") -> None:
        self.main_picture = main_picture
        super().__init__(told)


class DownloadError(EmotionError):
    """A Kaggle data set cannot be downloaded or put into place."""


class DatasetError(EmotionError):
    """Folders or a table do not hold the faces and labels that are expected of them."""


class ModelsError(EmotionError):
    """The folder of trained models is missing, incomplete, damaged, or does not fit together."""


class PersonalError(EmotionError):
    """Examples of one person's face cannot be learnt from, or the file that holds them cannot be read."""


class SessionError(EmotionError):
    """A mark or a pause cannot be set, the file of a session not be opened, or two sessions not be compared."""


class OutputError(EmotionError):
    """A folder of pictures cannot be read through, or the file for its votes not be written or gone on with."""


class TrainingError(EmotionError):
    """Training cannot be done with these rows, or what was trained must not be saved."""


class StorageError(EmotionError):
    """A folder, here or behind an address, cannot be listed, read or written."""


class ClusterError(EmotionError):
    """The Dask cluster, or the processes here, that are to do the work are not there, cannot do it, or were lost."""
