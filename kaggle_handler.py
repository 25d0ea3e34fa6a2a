"""Bring a Kaggle data set of facial expressions into Assets: OWNER/NAME -> Assets/<name>/<emotion>/*, or a table."""

import argparse
import contextlib
import errno
import filecmp
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
from emotion.data.folders.arrived import Contents, advice_on, contents_of, of_no_use
from emotion.data.folders.handles import handle_in
from emotion.errors import DownloadError, OutputError
from emotion.runtime.terminal import from_here, say

_STAGING_PREFIX: Final = ".partial-"

_ROWS: Final = 40
"""Folders that are told by name."""

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
    handle = handle_in(handle)
    name = handle.split("/")[1] if folder is None else folder
    _check_folder_name(name)
    with _disk_faults_told(assets), contextlib.ExitStack() as undo:
        if not add_more and _holds_anything(assets):
            say(f"{from_here(assets)} already holds something and is left alone; use --add-more to add to it.")
            return assets
        _make_folders(assets, undo)
        with _staging_folder(assets) as staging:
            contents = contents_of(_download(handle))
            advice = advice_on(contents, assets / name, Path(__file__).resolve().with_name("image_to_vector.py"))
            if not advice:
                raise DownloadError(of_no_use(handle, contents))
            counts = _copy(contents, staging / name, assets / name)
            _move(staging / name, assets / name, undo)
        undo.pop_all()
    say("\n".join([*_report(assets / name, contents, counts), *advice]))
    return assets / name


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


def _copy(contents: Contents, staged: Path, target: Path) -> Counter[str]:
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


def _report(target: Path, contents: Contents, counts: Counter[str]) -> list[str]:
    lines = [f"{from_here(target)}: {counts['added']:,} files added, {counts['skipped']:,} were there already."]
    if counts["renamed"]:
        lines.append(f"{counts['renamed']:,} of them got a new name, because a different file has theirs.")
    rows = sorted(Counter(name.rpartition("/")[0] or "." for name in contents.pictures).items())
    more = len(rows) - _ROWS
    rows = [*rows[:_ROWS], *([("tables and lists", len(contents.tables))] if contents.tables else [])]
    width = max(len(name) for name, _ in rows)
    lines += [f"  {name:<{width}}  {count:>9,}" for name, count in rows]
    if more > 0:
        lines.append(f"  and {more:,} folders more")
    if contents.passed_over:
        lines.append(str(contents.passed_over))
    return lines


if __name__ == "__main__":
    sys.exit(main())
