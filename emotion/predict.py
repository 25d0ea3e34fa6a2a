"""``python -m emotion predict``: votes on pictures, films and folders of both."""

import argparse
import glob
import io
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from tqdm import tqdm

from emotion.bulk.film import moments_of, opened, recognize_film
from emotion.bulk.folders import recognize_folder
from emotion.bulk.forms import JsonForm
from emotion.errors import EmotionError, FetchError, FilmError, ImageError, OutputError, PersonalError, WebPageError
from emotion.faces.crop import DETECTORS
from emotion.faces.decode import decode
from emotion.faces.files.kinds import NotAPictureError
from emotion.faces.files.walks import is_named_as_film
from emotion.faces.fitness import OTHERWISE, why_no_face
from emotion.page.addresses import fetch_picture, web_addresses
from emotion.runtime.files import printable, replacing
from emotion.runtime.storage import Folder, folder_and_name, is_address
from emotion.runtime.terminal import say
from emotion.streams.drawing import vote_text
from emotion.streams.films.annotating import annotate
from emotion.streams.films.reading.animations import is_animation
from emotion.streams.films.reading.frames import Film, note_on
from emotion.streams.films.reading.inputs import is_film
from emotion.streams.films.reading.opening import open_film
from emotion.streams.films.watching import Choice, FilmWatch
from emotion.streams.record import Moment, summaries
from emotion.streams.session.percents import shares_told
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import load_models
from emotion.vote.person.examples import read_examples
from emotion.vote.person.learning import personal
from emotion.vote.recognizer import FaceEmotion, Recognizer
from emotion.vote.sets import set_that_votes
from emotion.vote.tables import picture_record


def predict(options: argparse.Namespace) -> int:
    """Run the command.

    Parameters
    ----------
    options : Namespace, as `emotion.options.command_line` gives it

    Returns
    -------
    int, the exit status: 0, or 1 where something could not be read

    Raises
    ------
    EmotionError
    """
    if options.end <= options.start:
        raise OutputError("--end has to be later than --start.")
    if options.annotated is not None and options.annotated.suffix.lower() != ".mp4":
        raise OutputError(f"--annotated writes a film that ends in .mp4, which {options.annotated} does not.")
    out = options.csv or options.json
    if isinstance(out, Path):
        return _into_file(options, out)
    if options.dask is not None:
        raise OutputError("With --dask, name a folder and, with --csv or --json, a file for its votes.")
    models = _voting(options)
    recognizer = Recognizer(models, DETECTORS[options.detector]())
    paths = list(_expanded(options.pictures))
    if options.annotated is not None and len(paths) != 1:
        raise OutputError(f"With --annotated {options.annotated}, name one film.")
    status = 0
    for path in paths:
        try:
            status |= _tell(path, recognizer, options)
        except OutputError:
            raise
        except EmotionError as error:
            # One bad picture must not cost the others.
            status = 1
            name, reason = printable(path), printable(str(error))
            whose = set_that_votes(models).name
            say(_as_json(name, reason, whose) if options.json else f"{name}: {reason}")
    return status


def _tell(path: str, recognizer: Recognizer, options: argparse.Namespace) -> int:
    """Say what is seen in a picture or a film; give the exit status."""
    try:
        content = None if _is_web_film(path) else _content(path)
    except NotAPictureError as error:
        if not is_film(error.kind):
            raise
        content = None
    if content is None:
        with opened(path) as (file, film):
            return _tell_film(path, film, file, recognizer.models, options)
    if is_animation(content):
        with open_film(content) as film:
            return _tell_film(path, film, io.BytesIO(content), recognizer.models, options)
    if options.annotated is not None:
        raise FilmError("This is a picture, and --annotated is for films: leave it out.")
    decoded = decode(content)
    faces = recognizer.recognize_in(decoded)
    name, whose = printable(path), set_that_votes(recognizer.models).name
    if options.json:
        say(_as_json(name, faces, whose))
        return 0
    say(_as_text(name, faces, "" if faces else why_no_face(decoded.image_bgr), whose))
    if decoded.note:
        say(f"{name}: {decoded.note}")
    return 0


def _tell_film(path: str, film: Film, file: BinaryIO, models: Ensemble, options: argparse.Namespace) -> int:
    choice, form = _choice(options), JsonForm(models, "film", only_ascii=_lacks_letters())
    watch = FilmWatch(models, choice, detector=options.detector)
    moments = []
    for moment in moments_of(film, watch, choice):
        if options.json:
            say(form.moment(path, moment).rstrip("\n"))
        if not options.json or options.annotated is not None:
            moments.append(moment)
    note = note_on(film)
    if options.json:
        if note:
            say(form.note(path, note).rstrip("\n"))
    else:
        lasts = choice.every or 1 / film.rate
        say(_film_as_text(printable(path), moments, set_that_votes(models).name, lasts))
        if note:
            say(f"{printable(path)}: {note}")
    if options.annotated is not None:
        written = _annotate(file, moments, choice, options.annotated)
        if not options.json:  # else every line is one of JSON
            say(written)
    return 1 if note else 0


def _annotate(file: BinaryIO, moments: Sequence[Moment], choice: Choice, out: Path) -> str:
    """Write a film with its faces marked; give what is to be said of it."""
    length = max((moment.seconds for moment in moments), default=0.0) - choice.start
    form = "{desc}{percentage:3.0f}%|{bar:20}| {elapsed} gone, about {remaining} to go"
    try:
        with (
            replacing(out) as partial,
            tqdm(total=max(length, 0.1), desc="writing", disable=None, bar_format=form) as bar,
        ):
            written = annotate(
                file, moments, partial, choice=choice, told=lambda at: bar.update(max(0.0, min(at, bar.total) - bar.n))
            )
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror or error}.") from error
    return f"Written: {out}. {written.note if written else ''}".rstrip()


def _into_file(options: argparse.Namespace, out: Path) -> int:
    option, endings = ("--csv", (".csv",)) if options.csv else ("--json", (".json", ".jsonl"))
    if out.suffix.lower() not in endings:
        ending = " or ".join(endings)
        raise OutputError(
            f"{option} writes a file that ends in {ending}, which {out} does not; name pictures before it."
        )
    paths = list(_expanded(options.pictures))
    if len(paths) != 1:
        raise OutputError(f"With {option} {out}, name one folder, or one film.")
    path = paths[0]
    is_a_film = _names_a_film(path)
    if _is_web(path) and not is_a_film:  # only what was checked is asked for on the web, and that is no folder
        raise OutputError(f"With {option} {out}, name one folder, or one film.")
    if is_a_film:
        if options.dask is not None:
            raise OutputError("With --dask, name a folder: a film is one piece of work, for one worker.")
        return _film_into_file(options, path, out)
    if options.annotated is not None:
        raise OutputError(f"With --annotated {options.annotated}, name one film.")
    return _folder_into_file(options, path, out)


def _names_a_film(path: str) -> bool:
    """Tell whether a path is that of a film, also of one that is not there."""
    if _is_web_film(path):
        return True
    if not _is_web(path):
        is_missing = not is_address(path) and not os.path.lexists(path) and not Path(path).suffix
        if is_missing or Folder(path).exists():
            return False
    try:
        return is_animation(_content(path))
    except NotAPictureError as error:
        return is_film(error.kind)


def _film_into_file(options: argparse.Namespace, path: str, out: Path) -> int:
    models, choice = _voting(options), _choice(options)
    done = recognize_film(path, out, models, choice, detector=options.detector, keep=options.annotated is not None)
    if math.isinf(done.done_before):
        say(f"Nothing to do: all votes on {path} are in {out} already.")
    else:
        before = (
            f", from {done.done_before:.1f} seconds on; the others were in {out} before" if done.done_before else ""
        )
        say(f"{done.n_moments:,} moments looked at{before}.")
    say(f"The votes are by {set_that_votes(models)}.")
    if done.note:
        say(f"{path}: {done.note}")
    if options.annotated is not None:
        with opened(path) as (file, _):
            say(_annotate(file, done.moments, choice, options.annotated))
    return 1 if done.note else 0


def _folder_into_file(options: argparse.Namespace, folder: str, out: Path) -> int:
    models = _voting(options)
    done = recognize_folder(folder, out, models, detector=options.detector, choice=_choice(options), dask=options.dask)
    if not done.pictures and not done.films and not done.done_before:
        raise OutputError(f"{folder} holds no pictures and no films: name another folder. {done.passed_over}".rstrip())
    if not done.pictures and not done.films:
        say(f"Nothing to do: all {done.done_before:,} files are in {out} already.")
    else:
        films = f"; {done.films:,} films, {done.moments:,} moments" if done.films else ""
        say(
            f"{done.pictures:,} pictures looked at, {done.faces:,} faces{films}; {done.done_before:,} files were in "
            f"{out} before."
        )
    say(f"The votes are by {set_that_votes(models)}.")
    if done.passed_over:
        say(str(done.passed_over))
    if done.unreadable:
        say(f"{done.unreadable:,} of the files cannot be read, or not to the end; {out} says why.")
    return 1 if done.unreadable else 0


def _choice(options: argparse.Namespace) -> Choice:
    return Choice(options.every, options.start, options.end)


def _voting(options: argparse.Namespace) -> Ensemble:
    models = load_models(options.models)
    if options.personal is None:
        return models
    if options.dask is not None:
        raise OutputError("With --dask, models that know nobody vote: leave --personal out, or --dask.")
    try:
        content = options.personal.read_bytes()
        return personal(models, read_examples(content, models))
    except OSError as error:
        raise PersonalError(f"{options.personal} cannot be read: {error.strerror or error}.") from error
    except PersonalError as error:
        raise PersonalError(f"{options.personal}: {error}") from error


def _expanded(arguments: list[str]) -> Iterator[str]:
    """Give the files that patterns and ~ mean where no shell has said so, and the addresses out of what is pasted."""
    for argument in arguments:
        if os.path.lexists(argument):
            yield argument
            continue
        path = os.path.expanduser(argument)  # noqa: PTH111  # Path's raises where nobody has that name
        # Brackets are common in names of copies. Path.glob takes no pattern that begins at the root.
        found = glob.glob(path.replace("[", "[[]"), recursive=True) if _is_pattern(path) else []  # noqa: PTH207
        files = sorted(file for file in found if Path(file).is_file())
        # A file that is not there must not be asked for on the web, because its folder is called as a host might be.
        yield from files or ([] if os.path.lexists(path.split("/")[0]) else web_addresses(path)) or [path]


def _is_pattern(name: str) -> bool:
    return not is_address(name) and not {"*", "?"}.isdisjoint(name)


def _is_web(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


def _is_web_film(name: str) -> bool:
    """Tell an address of which a film is to be expected: it may be larger than a picture."""
    path = urlsplit(name).path if _is_web(name) else ""
    return is_named_as_film(path) and not path.lower().endswith(".gif")


def _content(name: str) -> bytes:
    if _is_web(name):
        try:
            return fetch_picture(name)
        except WebPageError as error:
            if not error.main_picture:
                raise
            raise FetchError(f"{error} The page's main picture: {error.main_picture}") from error
    if not is_address(name) and not os.path.lexists(name):
        if _is_pattern(name):
            raise ImageError(f"There is no file that matches {name}; check the folder, and * and ? in the name.")
        raise ImageError(f"There is no file {name}; check its folder and its name.")
    if Folder(name).exists():
        raise ImageError("This is a folder; name a file for its votes: --csv votes.csv, or --json votes.jsonl.")
    folder, file = folder_and_name(name)
    return folder.read(file)


def _as_json(picture: str, result: list[FaceEmotion] | str, models: str) -> str:
    return json.dumps(picture_record(picture, result, models), ensure_ascii=_lacks_letters())


def _lacks_letters() -> bool:
    """Tell whether the terminal's encoding lacks letters, for which JSON has an escape of its own."""
    return sys.stdout.encoding.lower() != "utf-8"


def _as_text(picture: str, faces: list[FaceEmotion], why: str, models: str) -> str:
    if not faces:
        return f"{picture}: no face found. {why}"
    lines = []
    for number, face in enumerate(faces, start=1):
        place = f" (face {number} of {len(faces)}, at x {face.box.x}, y {face.box.y})" if len(faces) > 1 else ""
        probability = face.vote.probabilities[face.vote.label]
        lines.append(f"{picture}: {vote_text(face.vote)}, {probability:.0%}{place}, by {models}")
    return "\n".join(lines)


def _film_as_text(film: str, moments: Sequence[Moment], whose: str, lasts: float) -> str:
    if not any(moment.faces for moment in moments):
        return f"{film}: no face found at {len(moments):,} moments. {OTHERWISE}"
    lines = [
        f"{film}: {len(moments):,} moments from {moments[0].seconds:.1f} to {moments[-1].seconds:.1f} s, by {whose}"
    ]
    for number, summary in summaries(moments, smoothed=True, lasts=lasts).items():
        changes = "1 change" if summary.changes == 1 else f"{summary.changes:,} changes"
        lines.append(
            f"  face {number}, {summary.seconds:.1f} s: {shares_told(summary.shares)}; {changes}, longest "
            f"{summary.longest_label} for {summary.longest_seconds:.1f} s"
        )
    return "\n".join(lines)
