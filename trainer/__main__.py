"""`python -m trainer`; where it imports from is said in `weighting.processes.launch`."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:  # the current folder is at the head of Python's path
        sys.path[0] = __file__.rpartition("/trainer/")[0]

    from weighting.processes.launch import isolate

    if not sys.flags.safe_path:
        del sys.path[0]
    isolate()

    from trainer.entry import main

    sys.exit(main())
