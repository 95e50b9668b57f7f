"""Logging for processes that run Beam: warnings of ours reach the user, its chatter does not.

Imports no Beam, so that it can be called before Beam is imported: importing it logs already.
"""

import logging
import threading


def quiet_beam() -> None:
    """Send warnings to standard error, less those of Beam and of the root logger.

    Beam's harness lowers the root logger to INFO and its modules warn through it about optional
    cloud packages; a handler's own level and filter survive that.
    """
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    handler.addFilter(lambda record: record.name != "root")
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    threading.excepthook = _log_thread


def _log_thread(failure: threading.ExceptHookArgs) -> None:
    """Hide the tracebacks of Beam's threads: `pipelines.engine.runner` reports the cause."""
    logging.getLogger("apache_beam").debug("thread failed", exc_info=failure.exc_value)
