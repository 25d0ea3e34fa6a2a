"""How many faces each detector finds, and where it sees some that are none.

    python benchmarks/detection.py FOLDER BOXES.csv

What counts, and what the table holds, says `emotion.measure.measure_boxes`; one detector alone measures
`python -m emotion evaluate --pictures FOLDER --boxes BOXES.csv`.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emotion.faces.crop import DETECTORS
from emotion.measure import measure_boxes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("boxes", type=Path)
    options = parser.parse_args()
    for name in DETECTORS:
        started = time.perf_counter()
        counts = measure_boxes(options.folder, options.boxes, detector=name, progress=False)
        seconds = time.perf_counter() - started
        print(f"{name:6} {1000 * seconds / counts.pictures:4.0f} ms a picture with decoding. {counts}")


if __name__ == "__main__":
    main()
