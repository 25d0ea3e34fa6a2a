"""Pictures of a folder, one after another, as they are decoded."""

from collections.abc import Iterator

from tqdm import tqdm

from emotion.data.folders.listing import Listing, Picture
from emotion.errors import ImageError
from emotion.faces.decode import Decoded, decode
from emotion.faces.files.kinds import NotAPictureError
from emotion.faces.files.walks import is_to_be_told
from emotion.runtime.storage import Folder


def read_pictures(
    source: Folder, pictures: Listing, *, progress: bool = True
) -> Iterator[tuple[Picture, Decoded | None]]:
    """Decode the pictures of a folder. Files that are none are counted among what the listing has passed over.

    Parameters
    ----------
    source : Folder
    pictures : Listing, of this folder
    progress : bool
        Whether to draw a progress bar on standard error.

    Yields
    ------
    picture : Picture
    decoded : Decoded, or None where it cannot be read

    Raises
    ------
    StorageError
        If the folder is gone, or the storage does not answer.
    """
    for picture in tqdm(pictures, unit="picture", disable=None if progress else True):
        try:
            yield picture, decode(source.read(picture.name))
        except ImageError as error:
            if isinstance(error, NotAPictureError) and not is_to_be_told(picture.name, error):
                pictures.passed_over.add(picture.name)
            else:
                yield picture, None
