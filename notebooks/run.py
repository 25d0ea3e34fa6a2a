"""Run copies of notebooks in my-notebooks/, and keep what they show: python notebooks/run.py NOTEBOOK...

With --only-copy, the copies are made and not run. With --in-place, the notebooks themselves are run, as for a release.
"""

import argparse
import shutil
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emotion.runtime.files import replacing

HERE = Path(__file__).resolve().parent
COPIES = HERE.parent / "my-notebooks"


def main() -> int:
    """Run each notebook in its own folder; of one that fails, what it shows up to the failing cell is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--only-copy", action="store_true")
    ways.add_argument("--in-place", action="store_true")
    options = parser.parse_args()
    for path in options.notebooks if options.in_place else map(copied, options.notebooks):
        if options.only_copy:
            continue
        print(f"running {path}", flush=True)
        if failed := run(path):
            print(f"{path} was kept up to the cell that failed. {failed}", file=sys.stderr)
            return 1
    return 0


def copied(path: Path) -> Path:
    """Copy a notebook to where it may be changed; a copy that is there already stays as it is."""
    copy = COPIES / path.name
    if copy.exists():
        print(f"{copy} is taken as it stands there; remove it to begin anew.", flush=True)
    else:
        COPIES.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)
    return copy


def run(path: Path) -> str:
    """Run a notebook and write what it shows into it. Give the error of a cell that failed, or ""."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=None, coalesce_streams=True, resources={"metadata": {"path": path.parent}}
    )
    failed = ""
    try:
        client.execute()
    except CellExecutionError as error:
        failed = f"{error.ename}: {error.evalue}"
    except DeadKernelError:
        failed = "The process that ran it has ended: perhaps there was not enough memory."
    with replacing(path) as partial:
        nbformat.write(notebook, partial)
    return failed


if __name__ == "__main__":
    sys.exit(main())
