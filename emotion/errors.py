"""What can go wrong, each as one sentence that a user may read and act upon.

Whatever a caller can cause (a bad address, a broken file, a wrong table) is raised as a child of `EmotionError`;
anything else that escapes is a fault of this program and keeps its traceback.
"""


class EmotionError(Exception):
    """Base of all errors whose text is written for the user. `str(error)` is one sentence or two, no traceback."""


class ImageError(EmotionError):
    """The bytes are not a picture that can be read, or the picture is too large."""


class DetectorError(EmotionError):
    """The file of the face detector is missing or damaged."""


class FetchError(EmotionError):
    """An address is refused, or what is behind it cannot be had within the limits."""


class DownloadError(EmotionError):
    """A Kaggle data set cannot be downloaded or put into place."""


class DatasetError(EmotionError):
    """Folders or a table do not hold the faces and labels that are expected of them."""


class ModelsError(EmotionError):
    """The folder of trained models is missing, incomplete, damaged, or does not fit together."""


class OutputError(EmotionError):
    """A folder of pictures cannot be read through, or the file for its votes not be written or gone on with."""


class TrainingError(EmotionError):
    """Training cannot be done with these rows, or what was trained must not be saved."""


class StorageError(EmotionError):
    """A folder, here or behind an address, cannot be listed, read or written."""


class ClusterError(EmotionError):
    """The Dask cluster, or the processes here, that are to do the work are not there, cannot do it, or were lost."""
