"""Run notebooks in place, in the order given, and keep their outputs: python notebooks/run.py NOTEBOOK..."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emotion.runtime.files import replacing


def main() -> None:
    """Run each notebook in its own folder; one that fails is left as it was."""
    for path in map(Path, sys.argv[1:]):
        print(f"running {path}", flush=True)
        notebook = nbformat.read(path, as_version=4)
        # Coalesced: of a progress bar, the last line stays.
        NotebookClient(
            notebook, timeout=None, coalesce_streams=True, resources={"metadata": {"path": str(path.parent)}}
        ).execute()
        with replacing(path) as partial:
            nbformat.write(notebook, partial)


if __name__ == "__main__":
    main()
