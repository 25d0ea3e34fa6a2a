"""Bring a Kaggle data set of facial expressions into Assets: OWNER/NAME -> Assets/<name>/<emotion>/*."""

import argparse
import contextlib
import errno
import filecmp
import os
import re
import shlex
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Final

from tqdm import tqdm

from emotion import config
from emotion.errors import DownloadError, OutputError
from emotion.runtime.terminal import say

_HANDLE: Final = re.compile(r"\w[\w.-]*/\w[\w.-]*(/versions/[1-9][0-9]*)?", re.ASCII)

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
        help="owner/name or owner/name/versions/N, as on kaggle.com (default: %(default)s)",
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

    Folders that merely wrap the whole data set are left out, so that ``<emotion>/*`` or ``train/<emotion>/*`` remains.
    Only picture files within folders are copied; links and hidden files are not. kagglehub's cache keeps the download.
    All pictures get into place, or none. Run one at a time for the same `assets`.

    Parameters
    ----------
    handle : str, ``owner/name`` or ``owner/name/versions/N``
    add_more : bool
        Whether to go on if `assets` holds anything but hidden files. Pictures are then added: one whose very bytes are
        there under its name is skipped, one whose name a different file has is added as ``name-2.png`` (or ``-3`` ...).
    folder : str, one plain name; by default the data set's
    assets : Path, made if it is missing

    Returns
    -------
    Path, the folder of the data set; `assets` itself if it was left alone because it holds something already

    Raises
    ------
    DownloadError
        If the handle or the folder's name is malformed, Kaggle cannot be reached or refuses, the archive is damaged,
        it has no pictures in folders, the disk is full, or a file or folder is forbidden or in the way.
    """
    _check_handle(handle)
    name = handle.split("/")[1] if folder is None else folder
    _check_folder_name(name)
    with _disk_faults_told(assets), contextlib.ExitStack() as undo:
        if not add_more and _holds_anything(assets):
            say(f"{_shown(assets)} already holds something and is left alone; use --add-more to add to it.")
            return assets
        _make_folders(assets, undo)
        with _staging_folder(assets) as staging:
            source, pictures = _without_wrapping(_download(handle))
            if not pictures:
                raise DownloadError(f"{handle} has no pictures in emotion folders; choose a data set that has.")
            counts = _copy(source, pictures, staging / name, assets / name)
            _move(staging / name, assets / name, undo)
        undo.pop_all()
    say(_report(assets / name, pictures, counts))
    return assets / name


def _check_handle(handle: str) -> None:
    if not _HANDLE.fullmatch(handle):
        raise DownloadError(
            f"{handle!r} is not the handle of a Kaggle data set; write owner/name or owner/name/versions/N, "
            f"as in {config.DEFAULT_DATASET}."
        )


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


def _without_wrapping(folder: Path) -> tuple[Path, list[Path]]:
    """Find the innermost folder that holds all emotion folders, and the pictures below, relative to it."""
    pictures = [path.relative_to(folder) for path in _picture_files(folder) if path.parent != folder]
    if not pictures:
        return folder, []
    wrapping = os.path.commonpath([path.parent.parent for path in pictures])
    return folder / wrapping, [path.relative_to(wrapping) for path in pictures]


def _picture_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink():
            continue
        if path.is_dir():
            yield from _picture_files(path)
        elif path.is_file() and path.suffix.lower() in config.IMAGE_SUFFIXES:
            yield path


def _copy(source: Path, pictures: list[Path], staged: Path, target: Path) -> Counter[str]:
    """Copy what `target` lacks to `staged`; count the added, the skipped, and those of the added that were renamed."""
    counts: Counter[str] = Counter()
    staged.mkdir()
    for picture in tqdm(pictures, desc="Copying", unit="file", disable=None):
        name = _free_name(source / picture, picture, (staged, target))
        if name is None:
            counts["skipped"] += 1
            continue
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / picture, staged / name)
        counts["added"] += 1
        counts["renamed"] += name != picture
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


def _report(target: Path, pictures: list[Path], counts: Counter[str]) -> str:
    emotions = Counter(path.parent for path in pictures)
    rows = [(emotion.as_posix(), count) for emotion, count in sorted(emotions.items())]
    width = max(len(name) for name, _ in rows)
    # Where there are train and test, train is the larger one.
    [(largest, _)] = Counter(path.parent.parent for path in pictures).most_common(1)
    next_command = [
        "python",
        _shown(Path(__file__).resolve().with_name("image_to_vector.py")),
        _shown(target / largest),
    ]
    lines = [
        f"{_shown(target)}: {counts['added']:,} files added, {counts['skipped']:,} were there already.",
        *(f"  {name:<{width}}  {count:>9,}" for name, count in rows),
        f"Next: {shlex.join(next_command)}",
    ]
    if counts["renamed"]:
        lines.insert(1, f"{counts['renamed']:,} of them got a new name, because a different file has theirs.")
    return "\n".join(lines)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    sys.exit(main())
