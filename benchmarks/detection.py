"""How many faces each detector finds, and where it sees some that are none: python benchmarks/detection.py BOXES.csv

The table has the columns file, x, y, w, h (pixels) and, optionally, invalid (1: not to be counted); files are named
from the folder of the table, or from that above it. A face counts where its shorter side has 40 pixels or more; it is
found where a box overlaps it by 0.3 (intersection over union). A box of that size that overlaps no annotated face is
false; of two boxes on one face, one is a double.
"""

import argparse
import csv
import sys
import time
from collections import defaultdict
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emotion.faces.crop import DETECTORS
from emotion.faces.detect import Box
from emotion.faces.tracking import overlap

LEAST_SIDE = 40
OVERLAP = 0.3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("boxes", type=Path, help="a table of annotated faces")
    options = parser.parse_args()
    faces: dict[str, list[tuple[Box, bool]]] = defaultdict(list)
    with options.boxes.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            box = Box(*(round(float(row[name])) for name in ("x", "y", "w", "h")))
            if box.area > 0:
                faces[row["file"]].append((box, row.get("invalid") in ("1", "True")))
    print(f"{len(faces):,} pictures")
    for name, make in DETECTORS.items():
        detector, counted, found, false, doubles, seconds = make(), 0, 0, 0, 0, 0.0
        for file, annotated in faces.items():
            place = options.boxes.parent / file
            image_bgr = cv2.imread(str(place if place.exists() else options.boxes.parent.parent / file))
            started = time.perf_counter()
            boxes = [face.box for face in detector.detect(image_bgr)]
            seconds += time.perf_counter() - started
            for box, is_invalid in annotated:
                if min(box.w, box.h) >= LEAST_SIDE and not is_invalid:
                    counted += 1
                    found += any(overlap(box, other) >= OVERLAP for other in boxes)
            for number, box in enumerate(boxes):
                if min(box.w, box.h) >= LEAST_SIDE:
                    false += all(overlap(box, other) < OVERLAP for other, _ in annotated)
                doubles += any(overlap(box, other) >= OVERLAP for other in boxes[:number])
        print(
            f"{name:6} found {found:,} of {counted:,} ({found / counted:.1%}), {false} false boxes, {doubles} doubles, "
            f"{1000 * seconds / len(faces):.0f} ms a picture"
        )


if __name__ == "__main__":
    main()
