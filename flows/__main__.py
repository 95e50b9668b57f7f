"""`python -m flows` is the command `assay`.

Unlike the command it starts with the current folder at the head of Python's path, from where
nothing is to come (`weighting.processes.launch`). The folder of this package takes that place until
all packages have been found.
"""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        sys.path[0] = __file__.rpartition("/flows/")[0]

    from weighting.processes.launch import isolate

    if not sys.flags.safe_path:
        del sys.path[0]
    isolate()

    from flows.entry import main

    main()
