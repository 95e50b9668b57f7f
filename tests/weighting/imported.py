"""Prints what a process of assay's imported, and from where; run by `test_launch`."""

import copy
import json
import sys

import pipelines
import weighting

sys.stdout.write(
    json.dumps([copy.__file__, pipelines.__file__, weighting.__file__, sys.argv[1:], __name__])
)
