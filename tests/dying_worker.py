"""For a Dask worker's --preload: the worker dies, without warning, as it begins a piece of work.

Which piece it is, counted from 1, is in the environment variable DIES_AT.
"""

import os
from typing import Any

import distributed


class _Dying(distributed.WorkerPlugin):
    def __init__(self) -> None:
        self.pieces_left = int(os.environ["DIES_AT"])

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        if finish == "executing":
            self.pieces_left -= 1
            if not self.pieces_left:
                os._exit(1)


async def dask_setup(worker: distributed.Worker) -> None:
    """Let the worker die.

    Parameters
    ----------
    worker : distributed.Worker
    """
    await worker.plugin_add(_Dying())
