"""Bring a Kaggle data set of facial expressions into Assets: OWNER/NAME -> Assets/<name>/<emotion>/*, or a table."""

import argparse
import contextlib
import errno
import filecmp
import heapq
import mimetypes
import os
import posixpath
import re
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from tqdm import tqdm

from emotion import config
from emotion.errors import DownloadError, OutputError
from emotion.faces import kinds
from emotion.runtime.terminal import from_here, say, typed

_HANDLE: Final = re.compile(r"\w[\w.-]*/\w[\w.-]*(/versions/[1-9][0-9]*)?", re.ASCII)

_AROUND: Final = " \t\r\n\xa0\u200b\ufeff\"'`<>()[]{}\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb\u2039\u203a,;.!/"
_ADDRESS: Final = re.compile(
    r"(?:https?://|(?<![\w/.@:-])(?://)?)((?:[\w-]+\.)+[a-z]{2,})(?::\d+)?/([^\s\"'`<>()\[\]?#]*)", re.IGNORECASE
)
_VERSION_ASKED: Final = re.compile(r"\?(?:\S*&)?datasetVersionNumber=(\d+)")
_CALL: Final = re.compile(r"\b\w*(dataset|competition|model|notebook)\w*\([^\"']*[\"']([^\"']+)", re.ASCII)
_COMMAND: Final = re.compile(
    r"\bkaggle\s+(\w+)\s+\w+(?:\s+(?:-[fp]|--file|--path)[\s=]+\S+|\s+-[\w-]*)*[\s=]+(\S+)", re.ASCII
)
_ELSEWHERE: Final = {
    "a competition": (
        {"c", "competition", "competitions", "t"},
        "its files come only after joining it there; look for a data set of such pictures under kaggle.com/datasets",
    ),
    "a notebook": ({"code", "k", "kernels", "notebook", "notebooks"}, "take the data set that its Input tab names"),
    "a model": ({"m", "model", "models"}, "look for pictures to train with under kaggle.com/datasets"),
}
_PAGES: Final = {"account", "benchmarks", "discussions", "docs", "learn", "organizations", "search", "settings", "work"}
_TABS: Final = {"code", "competitions", "datasets", "discussion", "followers", "following", "models"}

_LITTER: Final = {"__macosx", "desktop.ini", "ehthumbs.db", "thumbs.db"}
"""Left by operating systems; what else they leave is hidden."""

_LIST_ENDINGS: Final = {"", ".csv", ".dat", ".list", ".lst", ".tsv", ".txt"}
_NO_LIST: Final = re.compile(r"read.?me|licen[cs]e|copying|copyright|notice|citation|changelog", re.IGNORECASE)

_EXPRESSION: Final = re.compile(
    r"ang(er|ry)|calm|contempt|disgust|fear|happ|joy|neutral|sad|smil|surpri|supri", re.IGNORECASE
)
_PART: Final = re.compile(r"^(train|test|val|eval|dev|hold|public|private)|(train|test|val|valid)$", re.IGNORECASE)
_TRAINING: Final = re.compile(r"(^|/)train|train(/|\.|$)", re.IGNORECASE)
_OF_LABELS: Final = re.compile(r"label|emotion|expression|annotation", re.IGNORECASE)

_ANOTHER_TABLE: Final = "make another table in the same way, with --output test.csv, of"

_SHOWN: Final = 100
_FIRST_ENTRIES: Final = 50
_LARGEST_LISTS: Final = 20
_ROWS: Final = 40
_ENDINGS: Final = 8

_STAGING_PREFIX: Final = ".partial-"

_FULL: Final = "The disk that holds {place} is full; free some space and run this again."
_FORBIDDEN: Final = "There is no permission for {path}; change who may read and write it and run this again."
_IN_THE_WAY: Final = "{path} cannot be made because a file is in the way; move that elsewhere and run this again."
_TOO_LONG: Final = "{path} cannot be made because a name in it is too long; give a shorter one with --folder."
_DISK_FAULTS: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _FORBIDDEN,
    errno.ENAMETOOLONG: _TOO_LONG,
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOTDIR: _IN_THE_WAY,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : list of str, the command line without the program's name; by default that of this process

    Returns
    -------
    int, the exit status: 0 (also when Assets is left alone), 1 after an error that is told in one sentence,
    130 after Ctrl-C
    """
    options = command_line().parse_args(arguments)
    try:
        handler(options.handle, add_more=options.add_more, folder=options.folder)
    except (DownloadError, OutputError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; Assets is as it was before.", file=sys.stderr)
        return 130
    return 0


def command_line() -> argparse.ArgumentParser:
    """Say what may be typed.

    Returns
    -------
    ArgumentParser
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "handle",
        nargs="?",
        default=config.DEFAULT_DATASET,
        metavar="HANDLE",
        help="owner/name, owner/name/versions/N, or an address on kaggle.com (default: %(default)s)",
    )
    parser.add_argument("--add-more", action="store_true", help="add to an Assets folder that already holds something")
    parser.add_argument("--folder", metavar="NAME", help="the folder in Assets (default: the data set's name)")
    return parser


def handler(
    handle: str = config.DEFAULT_DATASET,
    *,
    add_more: bool = False,
    folder: str | None = None,
    assets: Path = config.ASSETS,
) -> Path:
    """Download a Kaggle data set and copy its pictures to ``assets/folder/<emotion>/``; print what was done.

    What a file is, its content says. Pictures come along, tables, which may hold faces or labels, and lists as text;
    links, hidden files and what operating systems leave behind do not, and all else is counted. Folders that merely
    wrap the whole data set are left out, so that ``<emotion>/*`` or ``train/<emotion>/*`` remains, and so are pictures
    beside these folders. kagglehub's cache keeps the download. All files get into place, or none. Run one at a time
    for the same `assets`.

    Parameters
    ----------
    handle : str
        ``owner/name`` or ``owner/name/versions/N``; or what has it within, as the data set's address and the commands
        that Kaggle offers to copy.
    add_more : bool
        Whether to go on if `assets` holds anything but hidden files. Files are then added: one whose very bytes are
        there under its name is skipped, one whose name a different file has is added as ``name-2.png`` (or ``-3`` ...).
    folder : str, one plain name; by default the data set's
    assets : Path, made if it is missing

    Returns
    -------
    Path, the folder of the data set; `assets` itself if it was left alone because it holds something already

    Raises
    ------
    DownloadError
        If the handle is none of a data set or the folder's name is malformed, Kaggle cannot be reached or refuses, the
        archive is damaged, it has neither pictures in folders, nor pictures with a list of labels, nor a table of
        faces, the disk is full, or a file or folder is forbidden or in the way.
    """
    handle = _handle_in(handle)
    name = handle.split("/")[1] if folder is None else folder
    _check_folder_name(name)
    with _disk_faults_told(assets), contextlib.ExitStack() as undo:
        if not add_more and _holds_anything(assets):
            say(f"{from_here(assets)} already holds something and is left alone; use --add-more to add to it.")
            return assets
        _make_folders(assets, undo)
        with _staging_folder(assets) as staging:
            contents = _contents(_download(handle))
            advice = _advice(contents, assets / name)
            if not advice:
                raise DownloadError(_of_no_use(handle, contents))
            counts = _copy(contents, staging / name, assets / name)
            _move(staging / name, assets / name, undo)
        undo.pop_all()
    say("\n".join([*_report(assets / name, contents, counts), *advice]))
    return assets / name


def _handle_in(pasted: str) -> str:
    """Take the handle out of what people paste: an address, a line of Python, a command of Kaggle's."""
    text = _VERSION_ASKED.sub(r"/versions/\1", pasted.strip(_AROUND))
    shown = repr(pasted if len(pasted) <= _SHOWN else f"{pasted[:_SHOWN]}...")
    if said := _CALL.search(text) or _COMMAND.search(text):
        _check_kind(said[1], shown)
        text = said[2].strip(_AROUND)
    if addresses := [(found[1].lower().removeprefix("www."), found[2]) for found in _ADDRESS.finditer(text)]:
        host, path = next((one for one in addresses if one[0] == "kaggle.com"), addresses[0])
        if host != "kaggle.com":
            raise DownloadError(f"{host} is not Kaggle; give the address of a data set on kaggle.com, or owner/name.")
        return _handle_at(path.strip(_AROUND).split("/"), shown)
    first = text.split("/")[0]
    _check_kind(first, shown)
    if first == "datasets":
        return _handle_at(text.split("/"), shown)
    if not _HANDLE.fullmatch(text):
        raise DownloadError(
            f"{shown} is not the handle of a Kaggle data set; write owner/name or owner/name/versions/N, "
            f"as in {config.DEFAULT_DATASET}, or its address."
        )
    return text


def _handle_at(path: list[str], shown: str) -> str:
    """Take the handle out of the path of an address on kaggle.com."""
    _check_kind(path[0], shown)
    match path:
        case ["datasets", owner, name, *rest] | ["api", _, "datasets", _, owner, name, *rest]:
            pass
        case [_, _, "notebook" | "script", *_]:
            _check_kind("notebook", shown)
        case [owner, name, *rest] if owner not in {*_PAGES, "api", "datasets"} and name not in _TABS:
            pass  # as addresses were at first
        case _:
            owner, name, rest = "", "", []
    version = f"/versions/{rest[1]}" if len(rest) > 1 and rest[0] in ("version", "versions") else ""
    if not _HANDLE.fullmatch(handle := f"{owner}/{name}{version}"):
        raise DownloadError(
            f"{shown} is a page of Kaggle, but not that of a data set; look for one under kaggle.com/datasets."
        )
    return handle


def _check_kind(word: str, shown: str) -> None:
    """Refuse what Kaggle has beside data sets, by the word that its addresses and commands have for it."""
    for kind, (words, advice) in _ELSEWHERE.items():
        if word in words:
            raise DownloadError(f"{shown} is {kind} on Kaggle and not a data set: {advice}.")


def _check_folder_name(name: str) -> None:
    # Windows' rules are the stricter ones. A leading dot would hide the folder, or lead out of Assets.
    if not name.strip() or PureWindowsPath(name).name != name or "\0" in name or name.startswith("."):
        raise DownloadError(f"{name!r} cannot be a folder in Assets; give one plain name, such as fer2013.")


@contextlib.contextmanager
def _disk_faults_told(place: Path) -> Iterator[None]:
    """Turn faults of the disk or its permissions into a sentence; `place` is where the block writes."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_FAULTS:
            raise
        path = error.filename2 or error.filename or place
        raise DownloadError(_DISK_FAULTS[error.errno].format(place=place, path=path)) from error


def _holds_anything(folder: Path) -> bool:
    return folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir())


def _make_folders(folder: Path, undo: contextlib.ExitStack) -> None:
    for path in reversed([folder, *folder.parents]):
        if not path.exists():
            path.mkdir()
            undo.callback(path.rmdir)


@contextlib.contextmanager
def _staging_folder(assets: Path) -> Iterator[Path]:
    """Give a hidden folder on the same file system as `assets`, gone after the block, as are those of killed runs."""
    for stale in assets.glob(f"{_STAGING_PREFIX}*"):
        shutil.rmtree(stale)
    with tempfile.TemporaryDirectory(prefix=_STAGING_PREFIX, dir=assets) as staging:
        yield Path(staging)


def _download(handle: str) -> Path:
    # Imported here, since they would double the time that --help takes.
    import kagglehub
    import requests
    from kagglehub.config import get_cache_folder
    from kagglehub.exceptions import DataCorruptionError, KaggleApiHTTPError

    cache = Path(get_cache_folder())
    dataset = "/".join(handle.split("/")[:2])
    # Unless it is deleted, kagglehub takes up an archive of the right size again.
    damaged = f"The archive of {handle} is damaged; delete {cache / 'datasets' / dataset} and run this again."
    try:
        with _disk_faults_told(cache):
            return Path(kagglehub.dataset_download(handle))
    except KaggleApiHTTPError as error:
        raise DownloadError(_refusal(error.response.status_code, dataset, str(error))) from error
    except requests.RequestException as error:
        raise DownloadError("Kaggle cannot be reached; check the network connection and run this again.") from error
    except (DataCorruptionError, zipfile.BadZipFile, zlib.error) as error:
        raise DownloadError(damaged) from error
    except ValueError as error:
        # kagglehub has no types of its own for these.
        if "archive type" in str(error):
            raise DownloadError(damaged) from error
        if "credentials file" in str(error):
            raise DownloadError(f"{error}; mend or delete that file and run this again.") from error
        raise


def _refusal(status: int, dataset: str, message: str) -> str:
    if status == 404:
        return f"Kaggle has no data set {dataset}, or not that version of it; check the spelling."
    if status in (401, 403):
        # Kaggle gives this answer to a misspelt handle, too, so as not to tell which private data sets exist.
        return (
            f"Kaggle does not hand out {dataset} without knowing you: check the spelling, accept the terms at "
            f"https://www.kaggle.com/datasets/{dataset} if it has any, and put an API token "
            "(https://www.kaggle.com/settings) into the environment variable KAGGLE_API_TOKEN or the file "
            "~/.kaggle/access_token, or its older form into KAGGLE_USERNAME and KAGGLE_KEY or ~/.kaggle/kaggle.json."
        )
    if status == 429 or status >= 500:
        return f"Kaggle is busy or out of order (HTTP status {status}); run this again later."
    return f"Kaggle refuses {dataset}: {message}"


@dataclass
class _Contents:
    """What a data set holds: files by their paths below `folder`, with forward slashes.

    Attributes
    ----------
    folder : Path
    pictures : list of str
    tables : dict of str to Kind, what may hold faces or labels: tables, and lists as text
    passed_over : Counter of str, other files by ending
    archives : int, how many of these are archives, whatever is in them
    endings : Counter of str, all files by ending
    """

    folder: Path
    pictures: list[str] = field(default_factory=list)
    tables: dict[str, kinds.Kind] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)
    archives: int = 0
    endings: Counter[str] = field(default_factory=Counter)


def _contents(folder: Path) -> _Contents:
    """Sort files by their content; find the innermost folder that holds all emotion folders, tables and lists."""
    contents = _Contents(folder)
    for name in tqdm(_files(folder), desc="Looking", unit="file", disable=None):
        kind = _kind_of_file(folder / name)
        contents.endings[_ending(name, kind)] += 1
        if kind.family in ("picture", "other picture"):
            contents.pictures.append(name)
        elif kind.family == "table" or (kind is kinds.TEXT and _may_be_list(name)):
            contents.tables[name] = kind
        else:
            contents.passed_over[_ending(name, kind)] += 1
            contents.archives += kind.family == "archive"
    inner = [name for name in contents.pictures if "/" in name]
    beside = [name for name in contents.pictures if "/" not in name]
    if inner and (len(inner) >= len(beside) or _name_expressions(inner)):  # covers and examples
        contents.passed_over.update(map(_ending, beside))
        contents.pictures = inner
    places = {_above(_above(name)) for name in contents.pictures}
    places |= {_above(name) for name in contents.tables}
    if places and (wrapping := posixpath.commonpath(places)):
        contents.folder = folder / wrapping
        contents.pictures = [name[len(wrapping) + 1 :] for name in contents.pictures]
        contents.tables = {name[len(wrapping) + 1 :]: kind for name, kind in contents.tables.items()}
    return contents


def _files(folder: Path) -> Iterator[str]:
    """Give all files but links, hidden ones and litter, always in the same order."""
    pending = [""]
    while pending:
        place = pending.pop()
        with os.scandir(folder / place) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        folders = []
        for entry in entries:
            name = f"{place}/{entry.name}".lstrip("/")
            if entry.name.startswith(".") or entry.name.casefold() in _LITTER:
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(name)
            elif entry.is_file(follow_symlinks=False):
                yield name
        pending += reversed(folders)


def _kind_of_file(path: Path) -> kinds.Kind:
    with path.open("rb", buffering=0) as file:
        start = file.read(kinds.FIRST_BYTES)
    kind = kinds.kind_of(start)
    if kind is kinds.GZIP:  # a table may be packed so
        with contextlib.suppress(zlib.error):
            inner = kinds.kind_of(zlib.decompressobj(wbits=31).decompress(start, kinds.FIRST_BYTES))
            return inner if inner.family == "table" else kind
    return kind


def _above(name: str) -> str:
    return name.rpartition("/")[0]


def _may_be_list(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in _LIST_ENDINGS and not _NO_LIST.match(path.name)


def _name_expressions(pictures: Iterable[str]) -> bool:
    """Tell whether the folder of any of the pictures is called after an expression."""
    return any(_EXPRESSION.search(PurePosixPath(folder).name) for folder in set(map(_above, pictures)))


def _ending(name: str, kind: kinds.Kind | None = None) -> str:
    """Say how a file's name ends, and where that does not tell what it is."""
    if kind is kinds.EMPTY:
        return "empty"
    ending = PurePosixPath(name).suffix.lower()
    if not re.fullmatch(r"\.\w{1,12}", ending):
        return "without ending"
    if kind is None or kind.family in ("picture", "other picture"):
        return ending
    is_named_so = (mimetypes.guess_type(f"name{ending}")[0] or "").startswith("image/")
    return f"{ending} without a picture in it" if is_named_so else ending


def _by_ending(counts: Counter[str]) -> str:
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    shown = [f"{count:,} {ending}" for ending, count in rows[:_ENDINGS]]
    if more := sum(count for _, count in rows[_ENDINGS:]):
        shown.append(f"{more:,} others")
    return ", ".join(shown)


def _of_no_use(handle: str, contents: _Contents) -> str:
    advice = "choose another data set"
    if contents.archives:
        advice = f"unpack its archives in {contents.folder} and run this again"
    return (
        f"{handle} has no pictures in emotion folders and no table of faces; it holds "
        f"{_by_ending(contents.endings) or 'no files'}: {advice}."
    )


def _advice(contents: _Contents, target: Path) -> list[str]:
    """Say what to type next, after what one has to know for it; nothing where nothing can be made of the data set."""
    folders = sorted(set(map(_above, contents.pictures)))
    named = _name_expressions(contents.pictures)
    if folders and not named and (told := _on_labels(contents, folders, target)):
        return told
    of_faces = [name for name, kind in contents.tables.items() if kind in (kinds.FACE_TABLE, kinds.FER2013_TABLE)]
    if any(folders) and (named or not of_faces):
        return _on_folders(contents, folders, target)
    # Of Parquet, the beginning does not tell what is in it.
    tables = of_faces or [name for name, kind in contents.tables.items() if kind is kinds.PARQUET]
    if not tables:
        return []
    tables = _training_first(Counter({name: (contents.folder / name).stat().st_size for name in tables}))
    training = typed("-m", "emotion", "train", "--data", str(from_here(target / tables[0])))
    return [*_for_test(tables, target, "there is"), f"Next: {training}"]


def _on_folders(contents: _Contents, folders: list[str], target: Path) -> list[str]:
    """Say what to type where folders are emotions."""
    parts = _training_first(Counter(_above(_above(name)) for name in contents.pictures))
    doubts = []
    if len(folders) == 1:
        doubts = [f"All pictures lie in one folder, {folders[0]}: only one emotion comes out of it."]
    elif not _name_expressions(contents.pictures):
        doubts = ["No folder is named after an expression that is known here: each becomes an emotion of its name."]
    return [
        *doubts,
        *_for_test(parts, target, _ANOTHER_TABLE),
        f"Next: {_vectorizing(target / parts[0])}",
    ]


def _on_labels(contents: _Contents, folders: list[str], target: Path) -> list[str]:
    """Say what to type where pictures lie in folders without meaning, if a list has their labels."""
    parts = _training_first(Counter(map(_part_of, contents.pictures)))
    labels = _labels_of(contents, parts[0])
    if labels is None:
        return []
    # Of each part, the innermost folder that holds its pictures.
    inner = [posixpath.commonpath([place for place in folders if _part_of(f"{place}/") == part]) for part in parts]
    one = f"All pictures lie in one folder, {folders[0] or target.name}"
    return [
        f"{one if len(folders) == 1 else 'No folder is named after an expression'}; "
        f"their labels seem to be in {labels or target.name}.",
        *_for_test(inner, target, _ANOTHER_TABLE),
        f"Next: {_vectorizing(target / inner[0], '--labels', target / labels)}",
    ]


def _part_of(name: str) -> str:
    """Give the path of the folder around a picture that is called train, test or the like; "" if none is."""
    folders = name.split("/")[:-1]
    return next(("/".join(folders[: at + 1]) for at, folder in enumerate(folders) if _PART.search(folder)), "")


def _training_first(sizes: Counter[str]) -> list[str]:
    """Sort parts of a data set: the one called so is for training, else the largest that is not called otherwise."""
    return sorted(sizes, key=lambda part: (_TRAINING.search(part) is None, _is_for_test(part), -sizes[part], part))


def _is_for_test(part: str) -> bool:
    return _part_of(f"{part}/") != "" and _TRAINING.search(part) is None


def _for_test(parts: list[str], target: Path, what: str) -> list[str]:
    """Say what to do with the parts behind the first that are called test or the like."""
    apart = [str(from_here(target / part)) for part in parts[1:] if _is_for_test(part)]
    return [f"For --test, {what} {' or '.join(apart)}."] if apart else []


def _vectorizing(*words: Path | str) -> str:
    script = Path(__file__).resolve().with_name("image_to_vector.py")
    return typed(*(str(from_here(word)) if isinstance(word, Path) else word for word in (script, *words)))


def _labels_of(contents: _Contents, part: str) -> str | None:
    """Find the list, or the folder of AffectNet's ``<picture>_exp.npy``, most of whose first entries name pictures."""
    texts = [name for name, kind in contents.tables.items() if kind in (kinds.TEXT, kinds.CSV_TABLE, kinds.VOTES_TABLE)]
    largest = heapq.nlargest(_LARGEST_LISTS, texts, key=lambda name: (contents.folder / name).stat().st_size)
    entries = {name: _first_entries(contents.folder / name) for name in largest}
    for name in contents.tables:
        if name.endswith("_exp.npy"):
            folder, _, file = name.rpartition("/")
            if len(known := entries.setdefault(folder, [])) < _FIRST_ENTRIES:
                known.append({file.removesuffix("_exp.npy")})
    wanted = {word for lines in entries.values() for words in lines for word in words}
    in_all = _named(contents.pictures, wanted)
    in_part = _named((name for name in contents.pictures if _part_of(name) == part), wanted)
    called = _PART.search(PurePosixPath(part).name)
    word = called[0].casefold() if called else ""  # parts may have the same names within

    def fitness(name: str) -> tuple[bool, bool, bool]:
        return _most_are_in(entries[name], in_part), _OF_LABELS.search(name) is not None, word in name.casefold()

    return max((name for name, lines in entries.items() if _most_are_in(lines, in_all)), key=fitness, default=None)


def _first_entries(path: Path) -> list[set[str]]:
    """Read the first lines of a list: of each, what may be names of pictures, without folders and endings."""
    with path.open("rb") as file:
        text = kinds.text_of(file.read(kinds.FIRST_BYTES)) or ""
    lines = [line for line in text.splitlines() if line.strip()][:_FIRST_ENTRIES]
    return [{_bare(word) for word in (*re.split(r"[,;\t]", line), *line.split())} for line in lines]


def _bare(word: str) -> str:
    return re.sub(r"\.[a-z]\w{1,4}$", "", re.split(r"[/\\]", word.strip(" \"'"))[-1], flags=re.IGNORECASE)


def _named(pictures: Iterable[str], wanted: set[str]) -> set[str]:
    """Give those of the wanted names that pictures have, also with more words behind, as RAF-DB's ``_aligned``."""
    bare = (_bare(name) for name in pictures)
    return {one for name in bare for one in (name, re.sub(r"_[A-Za-z]+$", "", name)) if one in wanted}


def _most_are_in(lines: list[set[str]], names: set[str]) -> bool:
    return 0 < len(lines) <= 2 * sum(not words.isdisjoint(names) for words in lines)


def _copy(contents: _Contents, staged: Path, target: Path) -> Counter[str]:
    """Copy what `target` lacks to `staged`; count the added, the skipped, and those of the added that were renamed."""
    counts: Counter[str] = Counter()
    staged.mkdir()
    for path in tqdm([*contents.pictures, *contents.tables], desc="Copying", unit="file", disable=None):
        source, wanted = contents.folder / path, Path(path)
        name = _free_name(source, wanted, (staged, target))
        if name is None:
            counts["skipped"] += 1
            continue
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, staged / name)
        counts["added"] += 1
        counts["renamed"] += name != wanted
    return counts


def _free_name(file: Path, name: Path, folders: tuple[Path, ...]) -> Path | None:
    """Take the first of name, name-2, name-3 ... that no folder has; None if `file` itself is there before that."""
    candidate, number = name, 1
    while there := [folder / candidate for folder in folders if (folder / candidate).exists()]:
        if any(filecmp.cmp(file, path, shallow=False) for path in there):
            return None
        number += 1
        candidate = name.with_stem(f"{name.stem}-{number}")
    return candidate


def _move(staged: Path, target: Path, undo: contextlib.ExitStack) -> None:
    """Move a tree in as few steps as possible: a folder that is new goes whole."""
    if target.exists():
        for path in sorted(staged.iterdir()):
            _move(path, target / path.name, undo)
        return
    undo.callback(_remove, target)  # first, so that Ctrl-C finds no gap after the move
    staged.rename(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _report(target: Path, contents: _Contents, counts: Counter[str]) -> list[str]:
    lines = [f"{from_here(target)}: {counts['added']:,} files added, {counts['skipped']:,} were there already."]
    if counts["renamed"]:
        lines.append(f"{counts['renamed']:,} of them got a new name, because a different file has theirs.")
    rows = sorted(Counter(_above(name) or "." for name in contents.pictures).items())
    more = len(rows) - _ROWS
    rows = [*rows[:_ROWS], *([("tables and lists", len(contents.tables))] if contents.tables else [])]
    width = max(len(name) for name, _ in rows)
    lines += [f"  {name:<{width}}  {count:>9,}" for name, count in rows]
    if more > 0:
        lines.append(f"  and {more:,} folders more")
    if over := contents.passed_over.total():
        lines.append(f"{over:,} file{'s' * (over > 1)} passed over: {_by_ending(contents.passed_over)}.")
    return lines


if __name__ == "__main__":
    sys.exit(main())
