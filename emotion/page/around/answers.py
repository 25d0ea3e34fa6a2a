"""Answers that a browser waits for, kept where a drawing of the page begins before they were sent.

Streamlit (1.67) throws away whatever has not been sent then, and knows no second try: the button of a download would
wait for its file, disabled, for three minutes, and files that were chosen would never be sent.
"""

from typing import Final

from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

_ANSWERS: Final = ("backend_operation_response", "file_urls_response")
"""Streamlit's names of the answers: where the file of a download is, and where files that were chosen are sent to."""

_clear = ForwardMsgQueue.clear


def keep_answers() -> None:
    """Keep answers, for all visitors of this server, from now on."""
    ForwardMsgQueue.clear = _clear_but_answers  # type: ignore[assignment, method-assign]


def _clear_but_answers(
    queue: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
) -> None:
    answers = [message for message in queue._queue if message.WhichOneof("type") in _ANSWERS]
    _clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)
    if retain_lifecycle_msgs and fragment_ids_this_run is None:  # else all was sent, or a fragment's drawing kept them
        queue._queue += answers
