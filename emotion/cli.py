"""``python -m emotion predict | personal | train | evaluate | train-networks | app``."""

import argparse
import os
import runpy
import shlex
import sys
from collections import Counter
from typing import Final

from emotion import config
from emotion.errors import (
    DatasetError,
    EmotionError,
    PersonalError,
    TrainingError,
)
from emotion.options import command_line, program
from emotion.predict import predict
from emotion.runtime.files import replacing
from emotion.runtime.terminal import from_here, say, typed
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import load_models
from emotion.vote.person.examples import examples_of
from emotion.vote.person.trial import tried
from emotion.vote.sets import set_of, what_is_replaced

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


def _train(options: argparse.Namespace) -> int:
    from emotion.labels import knows_calm
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
    "predict": predict,
    "personal": _personal,
    "train": _train,
    "evaluate": _evaluate,
    "train_networks": _train_networks,
    "app": _app,
}
