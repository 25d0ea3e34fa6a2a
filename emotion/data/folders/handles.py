"""What people paste for a Kaggle data set -> its handle."""

import re
from typing import Final

from emotion import config
from emotion.errors import DownloadError

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

_SHOWN: Final = 100


def handle_in(pasted: str) -> str:
    """Take the handle out of what people paste: an address, a line of Python, a command of Kaggle's.

    Parameters
    ----------
    pasted : str

    Returns
    -------
    str, ``owner/name`` or ``owner/name/versions/N``

    Raises
    ------
    DownloadError
        If it is that of something else, or none.
    """
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
