"""Processes that share work: how each of them begins, and ends."""

import logging
import os
import signal
import threading
from multiprocessing import parent_process


def start_worker() -> None:
    """Ctrl-C is for the parent, which ends its workers; and where it was killed, they end, too."""
    logging.getLogger().addHandler(
        logging.NullHandler()
    )  # as in the parent: what went wrong is in the results
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
