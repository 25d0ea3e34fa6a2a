"""Which pictures there are in a folder, and what they are pictures of."""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from emotion.data.folders.naming import Labels, labels_beside
from emotion.errors import DatasetError
from emotion.faces.files.kinds import EMPTY, FACE_TABLE, FER2013_TABLE, PARQUET, UNKNOWN, VOTES_TABLE, kind_of
from emotion.faces.files.texts import FIRST_BYTES
from emotion.faces.files.walks import PassedOver, is_named_as_picture
from emotion.labels import label_of, names_expression
from emotion.runtime.storage import Folder, StoredFile, folder_and_name

_PARTS: Final = re.compile(
    r"(.*[\d_ .-])?(train(ing)?|test(ing)?|val(id(ation)?)?|dev(el)?|eval(uation)?|(public|private) ?test|hold ?out)"
    r"([ _-]*(set|data|images?|pictures?|faces|part|split|[0-9]+))*",
    re.IGNORECASE,
)
"""How folders are called that hold a part of a data set."""

_LOOKED_INTO: Final = 5
"""Files of a folder, none of which is named as a picture, that are opened to see whether they are pictures."""


class Picture(NamedTuple):
    """A file of a folder of pictures: its label, its name below the folder, what changes with its content, and the part
    of the data set that it belongs to, where a list says so.
    """

    label: str
    name: str
    stamp: int
    part: str = ""


@dataclass
class _Place:
    """A folder that holds pictures, and what they are labelled."""

    label: str
    path: str
    files: list[StoredFile]


@dataclass
class Listing:
    """The pictures of a folder, which become so as they are asked for: a name once, not twice.

    Attributes
    ----------
    passed_over : PassedOver, files that are not among them
    remarks : list of str, sentences on what was found, for the user
    """

    _places: list[_Place]
    passed_over: PassedOver = field(default_factory=PassedOver)
    remarks: list[str] = field(default_factory=list)
    _labels: Labels | None = None

    def __len__(self) -> int:
        return sum(len(place.files) for place in self._places)

    def __iter__(self) -> Iterator[Picture]:
        for place in self._places:
            for file in place.files:
                name = f"{place.path}/{file.name}" if place.path else file.name
                if self._labels is None:
                    yield Picture(place.label, name, file.stamp)
                    continue
                found = self._labels.of(name)
                if found is not None:
                    yield Picture(found.label, name, file.stamp, found.part)

    @property
    def labels(self) -> list[str]:
        """What the pictures are pictures of, each once, also where a folder is empty."""
        if self._labels is not None:
            return sorted({picture.label for picture in self})
        return list(dict.fromkeys(place.label for place in self._places))

    @property
    def has_parts(self) -> bool:
        """Whether a list says which part of the data set a picture belongs to."""
        return self._labels is not None and self._labels.has_parts

    def parts(self, size: int) -> Iterator[list[Picture]]:
        """Give so many pictures at a time."""
        pictures = iter(self)
        while part := list(itertools.islice(pictures, size)):
            yield part


def check_folder(folder: Folder) -> None:
    """Refuse what is no folder.

    Parameters
    ----------
    folder : Folder

    Raises
    ------
    DatasetError
        If it is not there, or is a file; the text says what it is.
    StorageError
        If the storage does not answer.
    """
    if folder.exists():
        return
    above, name = folder_and_name(str(folder).rstrip("/"))
    try:
        with above.open(name) as file:
            kind = kind_of(file.read(FIRST_BYTES))
    except (OSError, ValueError):
        raise DatasetError(f"There is no folder {folder}.") from None
    advice = {"archive": "unpack it, and name what comes out", "page": "name a folder on this computer"}
    if "picture" in kind.family:
        advice[kind.family] = "name the folder that holds it"
    elif kind in (FACE_TABLE, FER2013_TABLE, VOTES_TABLE, PARQUET):
        advice[kind.family] = kind.advice
    what = "a file" if kind in (EMPTY, UNKNOWN) else kind.name
    raise DatasetError(f"{folder} is {what}, not a folder of pictures: {advice.get(kind.family, 'name a folder')}.")


def picture_files(folder: Folder, labels: Labels | None = None) -> Listing:
    """List the pictures of ``folder/<emotion>/``, in sorted order, hidden ones and litter left out.

    The folders of the emotions may lie further in, within a folder that wraps all or one for each person, and may hold
    folders of their own.

    Parameters
    ----------
    folder : Folder
    labels : Labels, optional
        What pictures are labelled, wherever they lie below the folder; then names of folders are not looked at.

    Returns
    -------
    Listing

    Raises
    ------
    DatasetError
        If the folder is missing, holds one without a name that can be shown, holds no ``<emotion>`` folders with files
        or those of several parts of a data set, or holds all in one folder while a list beside it has their labels; the
        text says what was probably meant.
    StorageError
        If a folder cannot be listed.
    """
    check_folder(folder)
    places, passed_over = _places(folder)
    if labels is not None:
        return _labelled(folder, places, passed_over, labels)
    own = [path for path in places if path]
    if not any(places[path] for path in own):
        raise DatasetError(
            f"{folder} must hold one folder of pictures for each emotion, and holds none.{_hint(folder)}"
        )
    level = _level(own)
    _check_parts(folder, places, level)
    listing = Listing([], passed_over)
    for path in sorted(places):
        files = places[path]
        if len(path) < level:
            _pass_by_depth(listing.passed_over, files)
        elif files or len(path) == level:
            name = path[level - 1]
            if not label_of(name):
                raise DatasetError(
                    f"The name of the folder {folder.place('/'.join(path))} names no emotion: rename or remove it."
                )
            listing._places.append(_Place(label_of(name), "/".join(path), files))
    _remark(folder, listing, level)
    return listing


def _places(folder: Folder) -> tuple[dict[tuple[str, ...], list[StoredFile]], PassedOver]:
    """Walk through all folders; give the files of each that holds pictures, or nothing, and count those of others."""
    found: dict[tuple[str, ...], list[StoredFile]] = {}
    passed_over = PassedOver()
    to_do: list[tuple[str, ...]] = [()]
    while to_do:
        path = to_do.pop()
        below = "/".join(path)
        # Links to folders of emotions are followed, not those within: they may lead round in a circle.
        folders, files = folder.entries(below, follow_links=len(path) < 1)
        to_do += [(*path, name) for name in folders]
        if not path or _are_pictures(folder, below, files) or not (files or folders):
            found[path] = files
        else:
            for file in files:
                passed_over.add(file.name)
    return found, passed_over


def _are_pictures(folder: Folder, below: str, files: Sequence[StoredFile]) -> bool:
    if any(is_named_as_picture(file.name) for file in files):
        return True
    for file in files[:_LOOKED_INTO]:
        try:
            with folder.open(f"{below}/{file.name}") as opened:
                if "picture" in kind_of(opened.read(FIRST_BYTES)).family:
                    return True
        except OSError:
            return True  # it is told later why it cannot be read
    return False


def _level(paths: Sequence[tuple[str, ...]]) -> int:
    """Say how deep the folders lie that name emotions: the first depth at which most names are those of expressions,
    else the first that neither wraps all nor tells parts of a data set apart.
    """
    deepest = max(map(len, paths))
    names = [{path[depth] for path in paths if len(path) > depth} for depth in range(deepest)]
    for level, some in enumerate(names, start=1):
        if sum(map(names_expression, some)) * 2 > len(some):
            return level
    level = 1
    while level < deepest and (len(names[level - 1]) == 1 or all(map(_PARTS.fullmatch, names[level - 1]))):
        level += 1
    return level


def _check_parts(folder: Folder, places: dict[tuple[str, ...], list[StoredFile]], level: int) -> None:
    """Refuse folders of several parts of a data set: who learns from one is to be measured on another."""
    counts: Counter[tuple[str, ...]] = Counter()
    for path, files in places.items():
        for depth in range(level - 1):
            if len(path) >= level and _PARTS.fullmatch(path[depth]):
                counts[path[: depth + 1]] += len(files)
                break
    if len(counts) < 2:
        return
    meant = max(counts, key=lambda part: ("train" in part[-1].casefold(), counts[part], part))
    others = ", ".join("/".join(part) for part in sorted(counts) if part != meant)
    raise DatasetError(
        f"{folder} must hold one folder of pictures for each emotion, and holds parts of a data set. Name "
        f"{folder.place('/'.join(meant))} to learn from it, and another part ({others}) to measure on it."
    )


def _hint(folder: Folder) -> str:
    """Say what may have been meant by a folder that has no folders with files."""
    files = folder.entries()[1]
    if not any(is_named_as_picture(file.name) for file in files):
        return ""
    beside = labels_beside(folder)
    if beside:
        return f" Its pictures lie side by side, and a list of labels seems to lie with them: add --labels {beside}."
    return (
        " Its pictures lie side by side: sort them into folders named by what they show, or name a list of labels with "
        "--labels."
    )


def _pass_by_depth(passed_over: PassedOver, files: Sequence[StoredFile]) -> None:
    for file in files:
        if is_named_as_picture(file.name):
            passed_over["at another depth"] += 1
        else:
            passed_over.add(file.name)


def _remark(folder: Folder, listing: Listing, level: int) -> None:
    labels = listing.labels
    if level > 1:
        listing.remarks.append(f"Folders of emotions are taken from further in, where {listing._places[0].path} lies.")
    if all(label.isdecimal() for label in labels):
        beside = labels_beside(folder)
        listing.remarks.append(
            "The folders have numbers for names, and models would say these numbers: "
            + (f"if {beside} says what they stand for, add --labels {beside}." if beside else "rename the folders.")
        )
    if len(labels) == 1:
        beside = labels_beside(folder)
        if beside and not names_expression(labels[0]):
            raise DatasetError(
                f"All pictures lie in one folder, {listing._places[0].path}, which makes one emotion of them; a list "
                f"of labels seems to lie with them: add --labels {beside}."
            )
        listing.remarks.append(
            f"There is one emotion only, {labels[0]}: models learn from two or more, each in a folder of its own."
        )


def _labelled(
    folder: Folder, places: dict[tuple[str, ...], list[StoredFile]], passed_over: PassedOver, labels: Labels
) -> Listing:
    listing = Listing(
        [_Place("", "/".join(path), files) for path, files in sorted(places.items()) if files], passed_over, [], labels
    )
    taken: set[str] = set()
    left_out: Callable[[str], None] = listing.passed_over.add
    for place in listing._places:
        kept = []
        for file in place.files:
            name = f"{place.path}/{file.name}" if place.path else file.name
            found = labels.of(name)
            if found is not None:
                taken.add(found.name)
                kept.append(file)
            elif is_named_as_picture(name):
                listing.passed_over["without a label"] += 1
            else:
                left_out(name)
        place.files = kept
    if not taken:
        raise DatasetError(
            f"{labels.path} has no labels for the pictures of {folder}: it names {labels.example}, and the folder "
            f"holds {_example(places) or 'no pictures'}."
        )
    if labels.skipped:
        listing.remarks.append(
            f"{labels.skipped:,} lines of {labels.path} are no rows of its table and were passed over."
        )
    if missing := len(labels) - len(taken):
        first = next(name for name in labels.names if name not in taken)
        listing.remarks.append(f"{missing:,} pictures that {labels.path} names are not there, such as {first}.")
    return listing


def _example(places: dict[tuple[str, ...], list[StoredFile]]) -> str:
    return next(("/".join((*path, file.name)) for path, files in sorted(places.items()) for file in files), "")
