"""`python -m flows` is the command `assay`."""

from flows.entry import main

if __name__ == "__main__":
    main()
