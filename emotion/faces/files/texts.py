"""How a text is written: its encoding, and, of a table, what stands between its cells and what its first line names."""

import codecs
import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

FIRST_BYTES: Final = 1 << 16
"""So many say what a file is."""


@dataclass(frozen=True)
class TextForm:
    """How a text is written, and, of a table, what its first line names.

    Attributes
    ----------
    encoding : str, that Python knows
    delimiter : str, between cells: a comma, semicolon, tab, or a blank in lists without header
    columns : tuple of str, the cells of the first line, without blanks and quotes around them
    """

    encoding: str
    delimiter: str
    columns: tuple[str, ...]


_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MOSTLY: Final = 0.7
_LONGEST_FIRST_LINE: Final = FIRST_BYTES - 8


def _encoding_of(start: bytes) -> str | None:
    """Tell how a text is encoded; None for what is no text."""
    for bom, encoding in _BOMS:
        if start.startswith(bom):
            return encoding
    for encoding, blank, written in (
        ("utf-16-le", start[1:400:2], start[:400:2]),
        ("utf-16-be", start[:400:2], start[1:400:2]),
    ):
        if blank.count(0) > len(blank) * _MOSTLY > 0 and not written.count(0):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        is_text = len(re.findall(rb"[\t\r\n -~]", start)) > len(start) * _MOSTLY
        return "windows-1252" if is_text and not _NO_TEXT.search(start.decode("latin-1")) else None
    return None if _NO_TEXT.search(start.decode("utf-8", "ignore")) else "utf-8"


def text_of(start: bytes) -> str | None:
    """Decode the beginning of a text.

    Parameters
    ----------
    start : bytes

    Returns
    -------
    str, or None where it is no text
    """
    encoding = _encoding_of(start)
    return None if encoding is None else codecs.getincrementaldecoder(encoding)("replace").decode(start)


@lru_cache(maxsize=8)
def text_form(start: bytes) -> TextForm | None:
    """Tell how a table of text is written.

    Parameters
    ----------
    start : bytes, the first of the file; of a table of faces, its first line is some 20 000 characters

    Returns
    -------
    TextForm, or None where it is no text
    """
    encoding, text = _encoding_of(start), text_of(start)
    if encoding is None or text is None:
        return None
    first = next((line for line in text.splitlines() if line.strip()), "")
    counts = {delimiter: first.count(delimiter) for delimiter in (",", ";", "\t")}
    delimiter = max(counts, key=lambda one: counts[one])
    if not counts[delimiter]:
        delimiter = " " if re.fullmatch(r"\S+( +\S+)+", first.strip()) else ","
    cells = next(csv.reader([first.strip()], delimiter=delimiter), []) if len(first) < _LONGEST_FIRST_LINE else []
    return TextForm(encoding, delimiter, tuple(cell.strip(" \t'\"") for cell in cells))


def is_table(text: str, form: TextForm) -> bool:
    """Tell whether the first lines have equally many cells, and more than one."""
    lines = [line for line in text.splitlines()[:6] if line.strip()]
    if len(lines) > 2 and len(text) >= FIRST_BYTES // 2:
        lines = lines[:-1]  # it may be cut off
    if len(form.columns) < 2 or form.delimiter == " ":
        return False
    counts = {len(row) for row in csv.reader(lines, delimiter=form.delimiter)}
    return len(lines) > 1 and counts == {len(form.columns)}
