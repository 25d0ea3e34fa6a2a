"""How much better models are that know a person's face: python benchmarks/personal.py FOLDER

FOLDER holds a folder for each person, with a folder of pictures for each expression in it. Some pictures of a person
are drawn as examples, and the models are asked about all others of that person, before they learn these and afterwards.
With --page, the table takes the place of the one in docs/personal.md.
"""

import argparse
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import machine
from emotion import config, load_models
from emotion.lessons.people import read_people
from emotion.lessons.personal import measure_people, people_frame, seconds_to_fit
from emotion.runtime.files import replacing

EXAMPLES = 200
TABLE = re.compile(r"\| examples .*?(?=\n\n)", re.DOTALL)


def main() -> None:
    """Measure and print; with --json and --page, write it there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=Path, default=config.MODELS)
    parser.add_argument("--draws", type=int, default=20, help="for each person (20)")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--page", type=Path, help="docs/personal.md, where its table stands")
    options = parser.parse_args()
    models = load_models(options.models)
    people = read_people(options.folder, models)
    print(people)
    measured = measure_people(people, models, options.draws)
    frame = people_frame(measured)
    lines = [frame.columns.tolist(), ["---", "---", *["---:"] * (len(frame.columns) - 2)], *frame.to_numpy().tolist()]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    seconds = seconds_to_fit(people, models, EXAMPLES)
    print(f"{table}\n\n{EXAMPLES} examples are learnt in {seconds:.2f} s.")
    if options.json:
        figures = {
            "machine": machine(),
            "people": len(people.faces),
            "faces": sum(map(len, people.faces.values())),
            "left_out": dict(people.left_out),
            "draws": options.draws,
            "measured": [asdict(row) for row in measured],
            "fit": {"examples": EXAMPLES, "seconds": seconds},
        }
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.page:
        text = options.page.read_text(encoding="utf-8")
        with replacing(options.page) as partial:
            partial.write_text(TABLE.sub(table, text), encoding="utf-8")


if __name__ == "__main__":
    main()
