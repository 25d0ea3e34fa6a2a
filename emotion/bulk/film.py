"""One film -> a file of votes, that grows as it is looked at, and can be gone on with where a run was broken off."""

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from tqdm import tqdm

from emotion.bulk.forms import form_of
from emotion.bulk.origin import SO_FAR, WHOLE, Origin, stored_choice
from emotion.errors import FilmError, OutputError
from emotion.page.films.asking import fetch_film, temporary_file
from emotion.runtime.storage import folder_and_name, is_address
from emotion.streams.films.reading.frames import Film, note_on
from emotion.streams.films.reading.opening import open_film
from emotion.streams.films.watching import Choice, FilmWatch, film_detector
from emotion.streams.record import Moment
from emotion.vote.ensemble import Ensemble

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_NOTES: Final = 2.0
"""So much work a run may lose that is killed."""


@dataclass
class FilmSummary:
    """What a run has done.

    Attributes
    ----------
    n_moments : int, of this run
    moments : list of Moment, where they are asked for
    done_before : float, seconds of the film, whose votes were in the file already; infinity where all were
    note : str, what was wrong with the film; empty where nothing was
    """

    n_moments: int = 0
    moments: list[Moment] = field(default_factory=list)
    done_before: float = 0.0
    note: str = ""


@contextmanager
def opened(path: str) -> Iterator[tuple[BinaryIO, Film]]:
    """Open a film by its path, its web address, or an address that fsspec knows.

    Parameters
    ----------
    path : str

    Yields
    ------
    (binary file, Film); one from the web is in a temporary file, which is gone at the end of the block

    Raises
    ------
    FetchError
        If a web address is refused, or what is behind it cannot be had within the limits.
    FilmError
        If there is no such file, it cannot be read, or is no film.
    StorageError
        If the storage behind an address does not answer.
    """
    try:
        with _file(path) as file, open_film(file) as film:
            yield file, film
    except OSError as error:
        raise FilmError(f"The file {path} cannot be read: {error.strerror or error}.") from error


@contextmanager
def _file(path: str) -> Iterator[BinaryIO]:
    if path.lower().startswith(("http://", "https://")):
        with temporary_file() as file:
            fetch_film(path, file)
            yield file
        return
    folder, name = folder_and_name(path)
    with folder.open(name) as file:
        yield file


def moments_of(
    film: Film, watch: FilmWatch, choice: Choice, *, done: float = 0.0, progress: bool = True
) -> Iterator[Moment]:
    """Look at a film, with a progress bar on standard error.

    Parameters
    ----------
    film : Film
    watch : FilmWatch
    choice : Choice, that `watch` has
    done : float, seconds of the film, that were looked at before
    progress : bool, whether to draw the bar

    Yields
    ------
    Moment

    Raises
    ------
    FilmError
        If no frame can be read.
    """
    end = min(choice.end, film.duration or math.inf)
    done = max(0.0, done - choice.start)
    with tqdm(
        total=None if math.isinf(end) else max(round(end - choice.start, 1), done),
        initial=round(done, 1),
        unit="s",
        disable=None if progress else True,
        bar_format="{l_bar}{bar:20}| {n:.0f} of {total:.0f} s of the film, {elapsed} gone, about {remaining} to go"
        if not math.isinf(end)
        else "{n:.0f} s of the film, {elapsed} gone",
    ) as bar:
        for look in watch.looks(film):
            past = look.seconds - choice.start - bar.n
            bar.update(max(0.0, past if bar.total is None else min(past, bar.total - bar.n)))
            if look.moment is not None:
                yield look.moment


def recognize_film(
    path: str,
    output: Path,
    models: Ensemble,
    choice: Choice | None = None,
    *,
    detector: str = "yunet",
    keep: bool = False,
    progress: bool = True,
) -> FilmSummary:
    """Recognise the faces of a film.

    Memory does not grow with the length of the film.

    Parameters
    ----------
    path : str, of a film, or an address that fsspec knows
    output : Path
        As `emotion.bulk.folders.recognize_folder` writes it, but that the first column, or name, is `film`. What a run
        that was broken off has written is kept and gone on with; the file becomes the same, byte for byte.
    models : Ensemble
    choice : Choice, what is looked at
    detector : str, a key of `emotion.faces.crop.DETECTORS`
    keep : bool, whether the moments are kept to be given; the film is begun anew then
    progress : bool, whether to draw a progress bar on standard error

    Returns
    -------
    FilmSummary

    Raises
    ------
    FilmError
        If the film cannot be opened or read.
    OutputError
        If the file cannot be written, is of another kind, or holds other votes.
    DetectorError
        If the face detector's file is missing or damaged.
    StorageError
        If the storage behind an address does not answer.
    """
    choice = choice or Choice()
    form = form_of(output, models, "film")
    with opened(path) as (file, film):
        of = {
            "film": path if is_address(path) else str(Path(path).resolve()),
            "film_bytes": file.seek(0, 2),
            "models": models.origin[1],
            "detector": film_detector(detector).name,
            "films": stored_choice(choice),
        }
        origin = Origin(output, of, "this film")
        name = path if is_address(path) else Path(path).name
        try:
            noted = origin.check()
            if not keep and noted.get(WHOLE) == (output.stat().st_size if output.is_file() else 0) > 0:
                return FilmSummary(done_before=math.inf, note=noted.get("note", ""))
            watch, done_bytes, done = _gone_on_with(
                {} if keep else noted.get(SO_FAR, {}), output, models, choice, detector
            )
            summary = FilmSummary(done_before=done)
            with output.open("r+b" if done_bytes else "wb") as votes:
                votes.truncate(done_bytes)
                votes.seek(done_bytes)
                if not done_bytes:
                    votes.write(form.head.encode())
                noted_at = time.monotonic()
                for moment in moments_of(film, watch, choice, done=done, progress=progress):
                    votes.write(form.moment(name, moment).encode())
                    summary.n_moments += 1
                    if keep:
                        summary.moments.append(moment)
                    if time.monotonic() - noted_at > _SECONDS_BETWEEN_NOTES:
                        votes.flush()
                        origin.note(**{SO_FAR: {"bytes": votes.tell(), **watch.as_stored()}})
                        noted_at = time.monotonic()
                summary.note = note_on(film)
                if summary.note:
                    votes.write(form.note(name, summary.note).encode())
            origin.note(**{WHOLE: output.stat().st_size, "note": summary.note})
        except OSError as error:
            raise OutputError(f"{output} cannot be written: {error.strerror or error}.") from error
    return summary


def _gone_on_with(
    so_far: dict[str, Any], output: Path, models: Ensemble, choice: Choice, detector: str
) -> tuple[FilmWatch, int, float]:
    """Go on where a run was broken off, or begin: the watch, the bytes that stay, the seconds of the film that are
    done.
    """
    try:
        if so_far and 0 < so_far["bytes"] <= output.stat().st_size:
            return FilmWatch(models, choice, detector=detector, stored=so_far), so_far["bytes"], so_far["seconds"]
    except (LookupError, TypeError, ValueError):
        log.warning("what was noted beside %s cannot be read; the film is begun anew", output, exc_info=True)
    return FilmWatch(models, choice, detector=detector), 0, 0.0
