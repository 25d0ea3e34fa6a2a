"""For a Dask worker's --preload: the worker dies, without warning, as soon as it begins a piece of work."""

import os
from typing import Any

import distributed


class _Dying(distributed.WorkerPlugin):
    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        if finish == "executing":
            os._exit(1)


async def dask_setup(worker: distributed.Worker) -> None:
    """Let the worker die.

    Parameters
    ----------
    worker : distributed.Worker
    """
    await worker.plugin_add(_Dying())
