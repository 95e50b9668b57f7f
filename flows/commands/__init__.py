"""The commands of `assay`: one module for each, or for a group of them.

A command's function has a parameter for each argument and option, because typer reads them there:
it is the one place, beside Prefect's flows, where more than seven parameters are in order. It does
no work of its own, and imports what does inside the function, so that `assay --help` loads no
library that it has no use for.
"""
