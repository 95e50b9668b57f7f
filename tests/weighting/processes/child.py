"""What the children of these tests do; the first argument says what."""

import os
import signal
import sys
import time
from pathlib import Path

what, *given = sys.argv[1:]
if what == "say":
    sys.stdout.write(" ".join(given) + "\n")
elif what == "wait":
    time.sleep(float(given[0]))
elif what == "fail":
    sys.stdout.write("".join(f"{line}\n" for line in given[1:]))
    sys.exit(int(given[0]))
elif what == "signal":
    os.kill(os.getpid(), int(given[0]))
elif what in ("save", "deaf"):  # begin, then wait for a signal
    path = Path(given[0])
    if what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: (path.write_text("saved"), sys.exit(0)))
    begun = path.with_suffix(".new")
    begun.write_text(str(os.getpid()))
    begun.replace(path)
    time.sleep(600)
elif what == "environment":
    sys.stdout.write(" ".join(str(os.environ.get(name)) for name in given) + "\n")
