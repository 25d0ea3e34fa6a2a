"""Where people have marked faces in pictures: a table of boxes."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Final

from emotion.data.tables.opening import Wanted, text_rows
from emotion.errors import DatasetError
from emotion.faces.detect import Box

_BOX_COLUMNS: Final = ("file", "x", "y", "w", "h")


def read_boxes(file: Path) -> dict[str, list[tuple[Box, bool]]]:
    """Read where faces are in pictures.

    Parameters
    ----------
    file : Path, of a table as text with the columns file, x, y, w, h (pixels) and, optionally, invalid

    Returns
    -------
    dict of str, a picture, to a list of (Box, bool): where a face is, and whether it does not count

    Raises
    ------
    DatasetError
        If it cannot be read, lacks a column, or has a row that is no box.
    """
    marked: dict[str, list[tuple[Box, bool]]] = defaultdict(list)
    columns = f"{', '.join(_BOX_COLUMNS)} (pixels)"
    with text_rows(
        file, Wanted("a table of boxes", columns, f"--boxes takes a CSV with {columns}"), _BOX_COLUMNS
    ) as rows:
        try:
            for row in rows:
                box = Box(*(round(float(row[column])) for column in _BOX_COLUMNS[1:]))
                if box.area > 0:
                    marked[row["file"]].append((box, row.get("invalid") in ("1", "True", "true")))
        except (ValueError, TypeError, OverflowError, csv.Error) as error:
            raise DatasetError(f"{file} has a row near line {rows.line_num} that is no box of four numbers.") from error
    if not marked:
        raise DatasetError(f"{file} has no boxes. Each needs a width and a height above 0.")
    return marked
