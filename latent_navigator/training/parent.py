"""A run that must not outlive the program that has started it. Free of torch.

The program sets STOPS_WITH_STDIN and keeps the other end of the standard input open. When the
program ends, however that happens, the system closes it.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import MutableMapping

STOPS_WITH_STDIN = "TRAINER_STOPS_WITH_STDIN"
GRACE = 10.0  # seconds for an orderly stop


def stop_with_stdin(environment: MutableMapping[str, str] = os.environ) -> None:
    """Stop this process as SIGTERM does when standard input ends, if the variable asks for it."""
    if environment.pop(STOPS_WITH_STDIN, "") and sys.stdin is not None:
        threading.Thread(target=_watch, args=(sys.stdin.fileno(),), daemon=True).start()


def _watch(stdin: int) -> None:
    # Not sys.stdin.read: Python cannot exit while a thread holds the lock of the stream.
    while os.read(stdin, 4096):
        pass
    # The main thread itself, so that a call in which it waits, as for a download, is interrupted.
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGTERM)
    else:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(143)
