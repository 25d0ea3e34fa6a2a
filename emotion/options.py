"""What may be typed behind ``python -m emotion``."""

import argparse
import math
import sys
from pathlib import Path
from typing import Final

from emotion import config
from emotion.faces.crop import DETECTORS
from emotion.page.films.asking import seconds_of
from emotion.runtime.storage import is_address
from emotion.streams.films.watching import EVERY_SECONDS

_TABLE: Final = "a table of faces: one of image_to_vector.py, or FER2013's own; may be an address"


def command_line() -> argparse.ArgumentParser:
    """Say what may be typed.

    Returns
    -------
    ArgumentParser, with one of its own for each command
    """
    parser = argparse.ArgumentParser(prog=program(), description="Recognise facial expressions.")
    commands = parser.add_subparsers(
        required=True, metavar="predict | personal | train | evaluate | train-networks | app"
    )

    predict = commands.add_parser("predict", help="find the faces of pictures and films and vote on each")
    predict.add_argument("pictures", nargs="+", metavar="PATH_OR_URL")
    forms = predict.add_mutually_exclusive_group()
    forms.add_argument(
        "--json",
        nargs="?",
        const=True,
        type=_path_here,
        metavar="OUT",
        help="one JSON object a line: one a picture, of a film one a face and moment; with a file, recognise a whole "
        "folder, or a film, into it",
    )
    forms.add_argument(
        "--csv",
        type=_path_here,
        metavar="OUT",
        help="recognise a whole folder, or a film, into a table; a rerun goes on with what is there, as it does with "
        "--json OUT",
    )
    predict.add_argument(
        "--annotated", type=_path_here, metavar="OUT", help="write the film with its faces marked, as MP4 (H.264)"
    )
    predict.add_argument(
        "--every",
        type=_interval,
        default=EVERY_SECONDS,
        metavar="SECONDS",
        help=f"of a film, the time from one vote to the next, or: frame (default: {EVERY_SECONDS})",
    )
    predict.add_argument(
        "--start",
        type=_time,
        default=0.0,
        metavar="TIME",
        help="where in a film to begin: seconds, or 1:30, or 1:02:03",
    )
    predict.add_argument("--end", type=_time, default=math.inf, metavar="TIME", help="where in a film to end")
    predict.add_argument(
        "--personal", type=_path_here, metavar="FILE", help="my-face.json: have models vote that know one person's face"
    )
    predict.set_defaults(run="predict")

    person = commands.add_parser("personal", help="teach the models one person's face, from a few pictures")
    person.add_argument("folder", metavar="FOLDER", help="pictures of one person in one folder for each expression")
    person.add_argument(
        "--out",
        type=_path_here,
        default=Path("my-face.json"),
        help="a file for what was learnt (default: my-face.json)",
    )
    person.set_defaults(run="personal")

    train = commands.add_parser("train", help="train the five models from a table of faces")
    train.add_argument("--data", required=True, help=_TABLE)
    train.add_argument(
        "--test",
        help="another one to measure on (default: the test part that --data names, or a fifth of it; of fewer than a "
        "thousand faces, cross-validation)",
    )
    train.add_argument(
        "--out",
        type=_path_here,
        default=config.OWN_MODELS,
        help="folder of models (default: my-models; a folder in it is another set, as in my-models/holiday)",
    )
    train.add_argument(
        "--features",
        choices=("network", "pixels"),
        default="network",
        help="what the models learn from: what the networks make of a face, or its plain pixels (default: network)",
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
    train.set_defaults(run="train")

    evaluate = commands.add_parser("evaluate", help="score the models on faces that they never saw")
    what = evaluate.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", help=_TABLE)
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
    evaluate.set_defaults(run="evaluate")

    networks = commands.add_parser("train-networks", help="train the embedding networks; needs requirements/train.txt")
    networks.add_argument("--data", required=True, help=_TABLE)
    networks.add_argument(
        "--test", help="another one, to keep away from (default: the test part that --data names, or a fifth)"
    )
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
    networks.set_defaults(run="train_networks")

    app = commands.add_parser("app", help="serve the page")
    app.add_argument("--port", type=int, default=8501, help="where it is served: http://localhost:PORT (default: 8501)")
    app.add_argument(
        "streamlit",
        nargs="*",
        metavar="-- OPTION",
        help="what follows -- goes to Streamlit, as --server.baseUrlPath=faces",
    )
    app.set_defaults(run="app")

    for command in (train, evaluate, networks):
        command.add_argument(
            "--votes",
            type=_path_here,
            help="FER+'s votes on these pictures, by file name (tables made with --keep-names)",
        )
    for command in (predict, person, evaluate):
        command.add_argument(
            "--detector", choices=list(DETECTORS), default="yunet", help="what finds the faces (default: yunet)"
        )
    for command in (predict, train):
        command.add_argument("--dask", metavar="ADDRESS", help="the scheduler of a Dask cluster that is to do the work")
    for command, default in ((predict, config.MODELS), (person, config.MODELS), (evaluate, config.MODELS), (app, None)):
        command.add_argument(
            "--models", type=_path_here, default=default, help="folder of models (default: those that ship)"
        )
    return parser


def program() -> str:
    """What was typed to start this: as a module, or by the command that an installed package has."""
    return "python -m emotion" if Path(sys.argv[0]).name == "__main__.py" else "emotion"


def _path_here(text: str) -> Path:
    if is_address(text):
        raise argparse.ArgumentTypeError(f"{text} is an address; this has to be on a disk of this machine")
    return Path(text)


def _interval(text: str) -> float:
    if text == "frame":
        return 0.0
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.01 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is neither a time from 0.01 to 3600 seconds nor the word: frame")
    return seconds


def _time(text: str) -> float:
    seconds = seconds_of(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(f"{text} is no time: write seconds, or minutes and seconds as in 1:30")
    return seconds
