"""``python -m emotion predict | personal | train | evaluate | train-networks | app``."""

import argparse
import glob
import json
import os
import runpy
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from emotion import config
from emotion.bulk import recognize_folder
from emotion.errors import (
    DatasetError,
    EmotionError,
    FetchError,
    ImageError,
    OutputError,
    PersonalError,
    TrainingError,
    WebPageError,
)
from emotion.faces.crop import DETECTORS
from emotion.faces.decode import Decoded, decode
from emotion.faces.fitness import why_no_face
from emotion.options import command_line, program
from emotion.page.addresses import fetch_picture, web_addresses
from emotion.runtime.files import printable, replacing
from emotion.runtime.storage import Folder, folder_and_name, is_address
from emotion.runtime.terminal import from_here, say, typed
from emotion.streams.drawing import vote_text
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import load_models
from emotion.vote.person.examples import examples_of, read_examples
from emotion.vote.person.learning import personal
from emotion.vote.person.trial import tried
from emotion.vote.recognizer import FaceEmotion, Recognizer
from emotion.vote.sets import set_of, set_that_votes, what_is_replaced
from emotion.vote.tables import picture_record

# Training's and evaluation's modules are imported by the commands that need them: predict starts without
# scikit-learn, as the page does.


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
    try:
        status: int = _RUN[options.run](options)
    except EmotionError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return status


def _predict(options: argparse.Namespace) -> int:
    out = options.csv or options.json
    if isinstance(out, Path):
        return _predict_folder(options, out)
    if options.dask is not None:
        raise OutputError("With --dask, name a folder and, with --csv or --json, a file for its votes.")
    models = _voting(options)
    recognizer = Recognizer(models, DETECTORS[options.detector]())
    whose = set_that_votes(models).name
    status = 0
    for picture in _expanded(options.pictures):
        name = printable(picture)
        try:
            decoded = _picture(picture)
            faces = recognizer.recognize_in(decoded)
            why = "" if faces else why_no_face(decoded.image_bgr)
        except EmotionError as error:
            # One bad picture must not cost the others.
            status = 1
            reason = printable(str(error))
            say(_as_json(name, reason, whose) if options.json else f"{name}: {reason}")
            continue
        say(_as_json(name, faces, whose) if options.json else _as_text(name, faces, why, whose))
        if decoded.note and not options.json:
            say(f"{name}: {decoded.note}")
    return status


def _predict_folder(options: argparse.Namespace, out: Path) -> int:
    option, endings = ("--csv", (".csv",)) if options.csv else ("--json", (".json", ".jsonl"))
    if out.suffix.lower() not in endings:
        ending = " or ".join(endings)
        raise OutputError(
            f"{option} writes a file that ends in {ending}, which {out} does not; name pictures before it."
        )
    if len(options.pictures) != 1:
        raise OutputError(f"With {option} {out}, name one folder.")
    models = _voting(options)
    done = recognize_folder(options.pictures[0], out, models, detector=options.detector, dask=options.dask)
    if not done.pictures and not done.done_before:
        raise OutputError(f"{options.pictures[0]} holds no pictures: name another folder. {done.passed_over}".rstrip())
    if not done.pictures:
        say(f"Nothing to do: all {done.done_before:,} pictures are in {out} already.")
    else:
        say(f"{done.pictures:,} pictures looked at, {done.faces:,} faces; {done.done_before:,} were in {out} before.")
    say(f"The votes are by {set_that_votes(models)}.")
    if done.passed_over:
        say(str(done.passed_over))
    if done.unreadable:
        say(f"{done.unreadable:,} of the pictures cannot be read; {out} says why.")
    return 1 if done.unreadable else 0


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


def _personal(options: argparse.Namespace) -> int:
    from emotion.data.person import faces_of_person
    from emotion.training.evaluation import told

    models = load_models(options.models)
    faces = faces_of_person(options.folder, models, detector=options.detector)
    examples = examples_of(models, faces.X, faces.labels)
    trial = tried(models, examples)
    try:
        with replacing(options.out) as partial:
            partial.write_text(examples.to_json(), encoding="utf-8")
    except OSError as error:
        raise PersonalError(f"{options.out} cannot be written: {error.strerror or error}.") from error
    for label, count in sorted(Counter(examples.labels).items()):
        say(f"{label:<14} {count:>6,} faces")
    if trial.n:
        say(f"Right of {trial.n:,} faces that were kept out of the learning (every other one of each expression):")
        say(f"  before: {told(trial.before, trial.n)}\n  after:  {told(trial.after, trial.n)}")
        for mixed in trial.mixed:
            say(f"{mixed.label} is still taken for {mixed.taken_for} in {mixed.n} of {mixed.of}.")
    else:
        say("Each expression has one face only: how often the models will be right is not known.")
    counts = {"without a face": faces.without_face, "unfit": faces.unfit, "that cannot be read": faces.unreadable}
    if any(counts.values()):
        say(f"Pictures left out: {', '.join(f'{count:,} {why}' for why, count in counts.items() if count)}.")
    if faces.passed_over:
        say(str(faces.passed_over))
    say(f"Written: {options.out}. It is biometric data of this person; it holds no picture. The votes with it:")
    say(typed("-m", "emotion", "predict", "PICTURE", "--personal", str(options.out)))
    return 0


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


def _picture(name: str) -> Decoded:
    if name.lower().startswith(("http://", "https://")):
        try:
            return decode(fetch_picture(name))
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
    return decode(folder.read(file))


def _as_json(picture: str, result: list[FaceEmotion] | str, models: str) -> str:
    # JSON has an escape of its own for what the terminal's encoding lacks.
    return json.dumps(picture_record(picture, result, models), ensure_ascii=sys.stdout.encoding.lower() != "utf-8")


def _as_text(picture: str, faces: list[FaceEmotion], why: str, models: str) -> str:
    if not faces:
        return f"{picture}: no face found. {why}"
    lines = []
    for number, face in enumerate(faces, start=1):
        place = f" (face {number} of {len(faces)}, at x {face.box.x}, y {face.box.y})" if len(faces) > 1 else ""
        probability = face.vote.probabilities[face.vote.label]
        lines.append(f"{picture}: {vote_text(face.vote)}, {probability:.0%}{place}, by {models}")
    return "\n".join(lines)


def _train(options: argparse.Namespace) -> int:
    from emotion.training.card import knows_calm
    from emotion.training.recipes import EXPERIMENTS, FAST, FULL, PIXEL_EXPERIMENTS, PIXELS
    from emotion.training.reports import result_lines
    from emotion.training.training import train

    holds_good_ones = options.out.resolve() in (config.MODELS.resolve(), config.OWN_MODELS.resolve())
    if options.fast and holds_good_ones:
        raise TrainingError("Fast models are not to replace good ones; name another folder with --out.")
    if options.features == "pixels" and holds_good_ones:
        raise TrainingError(
            "Models on pixels are not to replace those on networks, which hold the networks; name another folder with "
            "--out."
        )
    if replaced := what_is_replaced(options.out):
        say(f"{replaced} To keep what is there, stop now and name another folder with --out.")
    experiments, size = (EXPERIMENTS, FULL) if options.features == "network" else (PIXEL_EXPERIMENTS, PIXELS)
    manifest = train(
        options.data,
        options.test,
        options.out,
        FAST if options.fast else size,
        experiments=experiments,
        networks=options.networks,
        votes=options.votes,
        learn_votes=options.learn_votes,
        dask=options.dask,
    )
    say(f"\n{result_lines(manifest)}\n\nWritten to {from_here(options.out)}: {set_of(options.out)}.")
    if not knows_calm(manifest["classes"]):
        say("They know no calm face: each will be called one of these. A folder of calm faces would mend that.")
    page = ("emotion", "app", "--models", str(from_here(options.out)))
    say(f"The page with them: {shlex.join(page) if program() == 'emotion' else typed('-m', *page)}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    if options.boxes is not None:
        return _evaluate_boxes(options)
    models = load_models(options.models)
    say(f"Models: {set_of(options.models)}.")
    if options.pictures is not None:
        return _evaluate_pictures(options, models)
    from emotion.measure import table_lines

    say(table_lines(models, options.models, options.data, options.votes))
    return 0


def _evaluate_boxes(options: argparse.Namespace) -> int:
    from emotion.measure import measure_boxes

    if options.pictures is None:
        raise DatasetError("--boxes says where faces are in pictures; name their folder with --pictures.")
    counts = measure_boxes(options.pictures, options.boxes, detector=options.detector)
    return _told(str(counts), counts.unreadable)


def _evaluate_pictures(options: argparse.Namespace, models: Ensemble) -> int:
    from emotion.measure import measure_pictures, outcome_lines

    outcomes, unreadable, passed_over = measure_pictures(options.pictures, models, detector=options.detector)
    if not outcomes and not unreadable:
        told = f"The folders of emotions in {options.pictures} hold no pictures: put some into them. {passed_over}"
        raise DatasetError(told.rstrip())
    return _told(outcome_lines(outcomes) if outcomes else "", unreadable, str(passed_over))


def _told(lines: str, unreadable: int, passed_over: str = "") -> int:
    note = f"Not counted, since they cannot be read: {unreadable:,}." if unreadable else ""
    say("\n".join(text for text in (lines, note, passed_over) if text))
    return 1 if unreadable else 0


def _train_networks(options: argparse.Namespace) -> int:
    try:
        from emotion.networks.designs import TEACHERS
        from emotion.networks.network_training import train_networks
    except ModuleNotFoundError as error:
        raise TrainingError(
            f"Training networks needs {error.name}: pip install -r requirements/train.txt, or install the package with "
            "its extra train."
        ) from error

    teachers = () if options.start or options.without_teachers else TEACHERS
    train_networks(options.data, options.test, options.out, options.votes, teachers=teachers, start=options.start)
    say(f"Written: {options.out}; next: python -m emotion train --networks {options.out} ...")
    return 0


def _app(options: argparse.Namespace) -> int:
    # The page's visitors share one process, which takes its folder of models from here.
    if options.models is not None:
        os.environ["EMOTION_MODELS"] = str(options.models.resolve())
    # By the page's own folder .streamlit, wherever this was started.
    sys.argv = ["streamlit", "run", str(config.PAGE_FILE), f"--server.port={options.port}", *options.streamlit]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
    return 0


_RUN: Final = {
    "predict": _predict,
    "personal": _personal,
    "train": _train,
    "evaluate": _evaluate,
    "train_networks": _train_networks,
    "app": _app,
}
