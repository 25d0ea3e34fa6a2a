"""``python -m emotion predict | train | evaluate | train-networks | app``."""

import argparse
import json
import os
import runpy
import sys
from pathlib import Path

from emotion import config
from emotion.bulk import picture_record, recognize_folder
from emotion.errors import DatasetError, EmotionError, ImageError, OutputError, TrainingError
from emotion.faces.crop import DETECTORS
from emotion.faces.decode import BGRImage, decode_image
from emotion.faces.fetch import fetch
from emotion.faces.fitness import why_no_face
from emotion.runtime.files import printable
from emotion.runtime.storage import Folder, folder_and_name, is_address
from emotion.runtime.terminal import say
from emotion.streams.drawing import vote_text
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import load_models
from emotion.vote.recognizer import FaceEmotion, Recognizer

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
        status: int = options.run(options)
    except EmotionError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return status


def command_line() -> argparse.ArgumentParser:
    """Say what may be typed.

    Returns
    -------
    ArgumentParser, with one of its own for each command
    """
    parser = argparse.ArgumentParser(prog=_program(), description="Recognise facial expressions.")
    commands = parser.add_subparsers(required=True, metavar="predict | train | evaluate | train-networks | app")

    predict = commands.add_parser("predict", help="find the faces of pictures and vote on each")
    predict.add_argument("pictures", nargs="+", metavar="PATH_OR_URL")
    forms = predict.add_mutually_exclusive_group()
    forms.add_argument(
        "--json",
        nargs="?",
        const=True,
        type=_path_here,
        metavar="OUT",
        help="one JSON object a picture, one a line; with a file, recognise a whole folder into it",
    )
    forms.add_argument(
        "--csv",
        type=_path_here,
        metavar="OUT",
        help="recognise a whole folder into a table; a rerun goes on with what is there, as it does with --json OUT",
    )
    predict.set_defaults(run=_predict)

    train = commands.add_parser("train", help="train the five models from a table of faces")
    train.add_argument("--data", required=True, help="a table made by image_to_vector.py; may be an address")
    train.add_argument("--test", help="another one to measure on (default: a fifth of --data)")
    train.add_argument("--out", type=_path_here, default=config.OWN_MODELS, help="folder of models (default: models)")
    train.add_argument(
        "--features", choices=("network", "pixels"), default="network", help="what the models see of a face"
    )
    train.add_argument(
        "--networks",
        type=_path_here,
        default=config.MODELS,
        help="folder of the embedding networks, which stay as they are (default: those that ship, in models)",
    )
    train.add_argument(
        "--learn-votes",
        action="store_true",
        help="learn what ten people saw in a face (--votes), its label being one more opinion, and not the label alone",
    )
    train.add_argument("--fast", action="store_true", help="tiny models, to try the way; needs another --out")
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("evaluate", help="score the models on faces that they never saw")
    what = evaluate.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", help="a table made by image_to_vector.py; may be an address")
    what.add_argument(
        "--pictures",
        metavar="FOLDER",
        help="pictures in one folder for each expression: the whole way, from picture to vote; may be an address",
    )
    evaluate.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help="where faces are in the pictures of --pictures, which need no folders then: a CSV with the columns file, "
        "x, y, w, h and, optionally, invalid; tells found, missed and false ones",
    )
    evaluate.set_defaults(run=_evaluate)

    networks = commands.add_parser("train-networks", help="train the embedding networks; needs requirements/train.txt")
    networks.add_argument("--data", required=True, help="a table made by image_to_vector.py; may be an address")
    networks.add_argument("--test", help="another one, to keep away from (default: a fifth of --data)")
    networks.add_argument(
        "--out",
        type=_path_here,
        default=config.NETWORKS,
        help="folder of checkpoints, to go on from, and of the results (default: networks)",
    )
    networks.add_argument(
        "--start",
        type=_path_here,
        metavar="FOLDER",
        help="folder of networks or models whose networks to go on with, by votes and by what they say together",
    )
    networks.add_argument(
        "--without-teachers",
        action="store_true",
        help="learn labels and votes, and not from large networks that are trained first: less time, less accurate",
    )
    networks.set_defaults(run=_train_networks)

    app = commands.add_parser("app", help="serve the page")
    app.add_argument("--port", type=int, default=8501, help="where it is served: http://localhost:PORT (default: 8501)")
    app.add_argument(
        "streamlit",
        nargs="*",
        metavar="-- OPTION",
        help="what follows -- goes to Streamlit, as --server.baseUrlPath=faces",
    )
    app.set_defaults(run=_app)

    for command in (train, evaluate, networks):
        command.add_argument(
            "--votes",
            type=_path_here,
            help="FER+'s votes on these pictures, by file name (tables made with --keep-names)",
        )
    for command in (predict, evaluate):
        command.add_argument(
            "--detector", choices=list(DETECTORS), default="yunet", help="what finds the faces (default: yunet)"
        )
    for command in (predict, train):
        command.add_argument("--dask", metavar="ADDRESS", help="the scheduler of a Dask cluster that is to do the work")
    for command, default in ((predict, config.MODELS), (evaluate, config.MODELS), (app, None)):
        command.add_argument(
            "--models", type=_path_here, default=default, help="folder of models (default: those that ship)"
        )
    return parser


def _program() -> str:
    """What was typed to start this: as a module, or by the command that an installed package has."""
    return "python -m emotion" if Path(sys.argv[0]).name == "__main__.py" else "emotion"


def _path_here(text: str) -> Path:
    if is_address(text):
        raise argparse.ArgumentTypeError(f"{text} is an address; this has to be on a disk of this machine")
    return Path(text)


def _predict(options: argparse.Namespace) -> int:
    out = options.csv or options.json
    if isinstance(out, Path):
        return _predict_folder(options, out)
    if options.dask is not None:
        raise OutputError("With --dask, name a folder and, with --csv or --json, a file for its votes.")
    recognizer = Recognizer(load_models(options.models), DETECTORS[options.detector]())
    status = 0
    for picture in options.pictures:
        name = printable(picture)
        try:
            image_bgr = _picture(picture)
            faces = recognizer.recognize(image_bgr)
            why = "" if faces else why_no_face(image_bgr)
        except EmotionError as error:
            # One bad picture must not cost the others.
            status = 1
            reason = printable(str(error))
            say(_as_json(name, reason) if options.json else f"{name}: {reason}")
            continue
        say(_as_json(name, faces) if options.json else _as_text(name, faces, why))
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
    done = recognize_folder(
        options.pictures[0], out, load_models(options.models), detector=options.detector, dask=options.dask
    )
    say(
        f"{done.pictures:,} pictures, {done.faces:,} faces; {done.done_before:,} were in {out} before; of all, "
        f"{done.unreadable:,} cannot be read"
    )
    return 1 if done.unreadable else 0


def _picture(name: str) -> BGRImage:
    if name.lower().startswith(("http://", "https://")):
        return decode_image(fetch(name))
    if Folder(name).exists():
        raise ImageError("This is a folder; name a file for its votes: --csv votes.csv, or --json votes.jsonl.")
    folder, file = folder_and_name(name)
    return decode_image(folder.read(file))


def _as_json(picture: str, result: list[FaceEmotion] | str) -> str:
    # JSON has an escape of its own for what the terminal's encoding lacks.
    return json.dumps(picture_record(picture, result), ensure_ascii=sys.stdout.encoding.lower() != "utf-8")


def _as_text(picture: str, faces: list[FaceEmotion], why: str) -> str:
    if not faces:
        return f"{picture}: no face found. {why}"
    return "\n".join(
        f"{picture}: {vote_text(face.vote)}, at x {face.box.x}, y {face.box.y}, {face.box.w} x {face.box.h} pixels"
        for face in faces
    )


def _train(options: argparse.Namespace) -> int:
    from emotion.training.card import score_table
    from emotion.training.recipes import EXPERIMENTS, FAST, FULL, PIXEL_EXPERIMENTS, PIXELS
    from emotion.training.training import train

    holds_good_ones = options.out.resolve() in (config.MODELS.resolve(), config.OWN_MODELS.resolve())
    if options.fast and holds_good_ones:
        raise TrainingError("Fast models are not to replace good ones; name another folder with --out.")
    if options.features == "pixels" and holds_good_ones:
        raise TrainingError(
            "Models on pixels are not to replace those on networks, which hold the networks; name another folder with "
            "--out."
        )
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
    say(f"\n{score_table(manifest)}\n\nWritten: {options.out}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    if options.boxes is not None:
        return _evaluate_boxes(options)
    models = load_models(options.models)
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

    outcomes, unreadable = measure_pictures(options.pictures, models, detector=options.detector)
    return _told(outcome_lines(outcomes) if outcomes else "", unreadable)


def _told(lines: str, unreadable: int) -> int:
    note = f"Not counted, since they cannot be read: {unreadable:,}." if unreadable else ""
    say("\n".join(text for text in (lines, note) if text))
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
