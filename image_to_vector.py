"""Turn folders of pictures into a table of 48x48 faces: FOLDER/<emotion>/* -> data.csv."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emotion.data.vectorize import Summary


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : list of str, the command line without the program's name; by default that of this process

    Returns
    -------
    int, the exit status: 0, 1 after an error that is told in one sentence, 130 after Ctrl-C
    """
    options = command_line().parse_args(arguments)
    before = _state(options.output)
    try:
        # Only now, since Ctrl-C may come while libraries are loaded, too.
        from emotion.errors import EmotionError
    except KeyboardInterrupt:
        return _stopped(options.output, before)
    try:
        from emotion.data.vectorize import Way, vectorize
        from emotion.runtime.terminal import say

        with _ctrl_c_kept():
            way = Way(options.detector, options.faces)
            summary = vectorize(
                options.folder,
                options.output,
                keep_names=options.keep_names,
                labels=options.labels,
                way=way,
                dask=options.dask,
                remark=say,
            )
        say(report(summary, options.output))
    except EmotionError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _stopped(options.output, before)
    return 0


def command_line() -> argparse.ArgumentParser:
    """Say what may be typed.

    Returns
    -------
    ArgumentParser
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", metavar="FOLDER", help="holds one folder of pictures for each emotion; or an address, as s3://..."
    )
    parser.add_argument(
        "--output",
        default="data.csv",
        help="a .csv, a .csv.gz, a .parquet, or FOLDER/ or an address for Parquet in parts (default: data.csv)",
    )
    parser.add_argument(
        "--labels",
        metavar="FILE",
        help="a list of what pictures show: a CSV with the columns image and label, RAF-DB's list, or the folder of "
        "AffectNet's annotations; the names of folders do not count then",
    )
    parser.add_argument("--keep-names", action="store_true", help="add a column with the name of each face's file")
    parser.add_argument("--faces", action="store_true", help="each picture is a face already: take it whole")
    parser.add_argument(
        "--detector", choices=("yunet", "haar"), default="yunet", help="what finds the faces (default: yunet)"
    )
    parser.add_argument("--dask", metavar="ADDRESS", help="the scheduler of a Dask cluster that is to do the work")
    return parser


@contextmanager
def _ctrl_c_kept() -> Iterator[None]:
    """Raise Ctrl-C at the end of the block where it came while Python was clearing an object away.

    There it cannot be raised: Python would print a traceback and go on.
    """
    came = False
    ordinary = sys.unraisablehook

    def keep(unraisable: "sys.UnraisableHookArgs") -> None:
        nonlocal came
        if unraisable.exc_type is KeyboardInterrupt:
            came = True
        else:
            ordinary(unraisable)

    sys.unraisablehook = keep
    try:
        yield
    finally:
        sys.unraisablehook = ordinary
    if came:
        raise KeyboardInterrupt


def _in_parts(output: str) -> bool:
    # As emotion.runtime.storage tells addresses; but Ctrl-C may come before that is loaded.
    return "://" in output or Path(output).is_dir()


def _state(output: str) -> tuple[int, int] | None:
    """Tell one table from the next that takes its place; None where there is none."""
    try:
        found = Path(output).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _stopped(output: str, before: tuple[int, int] | None) -> int:
    if _in_parts(output):
        told = "the same command goes on with the parts that are there"
    elif _state(output) != before:  # Ctrl-C came too late
        told = "the table has just been written, maybe not the list of unreadable files beside it"
    else:
        told = "the table is as it was"
    print(f"Stopped; {told}.", file=sys.stderr)
    return 130


def report(summary: "Summary", output: str) -> str:
    """Lay out a summary as a table.

    Parameters
    ----------
    summary : Summary
    output : str, path or address of the table of faces

    Returns
    -------
    str, several lines
    """
    from emotion.data.vectorize import UNREADABLE_FILE
    from emotion.runtime.storage import Folder
    from emotion.runtime.terminal import typed

    faces = [(f"faces: {label}", count) for label, count in sorted(summary.faces.items())]
    rows = [
        ("files read", summary.files - len(summary.unreadable)),
        *faces,
        ("faces in all", summary.faces.total()),
        ("pictures without a face", summary.without_face),
        ("unreadable files", len(summary.unreadable)),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {count:>9,}" for name, count in rows]
    if summary.passed_over:
        lines.append(str(summary.passed_over))
    if without := sorted(label for label, count in summary.faces.items() if not count):
        lines.append(f"No face was found for {', '.join(without)}: the table lacks what these folders stand for.")
    if summary.small_without_face:
        lines.append(
            f"{summary.small_without_face:,} of the pictures without a face are small squares: if they are faces that "
            "somebody cut out, add --faces, and each is taken whole."
        )
    if summary.unreadable:
        in_parts = _in_parts(output)
        beside = Folder(output).place(UNREADABLE_FILE) if in_parts else Path(output).with_suffix(".unreadable.txt")
        lines.append(f"The unreadable files and why: {beside}")
    training = typed("-m", "emotion", "train", "--data", output)
    return "\n".join([*lines, f"Written: {output}", f"Next, if models are to learn from these faces: {training}"])


if __name__ == "__main__":
    sys.exit(main())
