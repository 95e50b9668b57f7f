"""`trainer eval`: evaluate the newest checkpoint of a run."""

import json
import sys
from pathlib import Path

from trainer.commands.console import open_console, warn
from trainer.config.flat import FlatConfig
from trainer.display.tables import print_evaluation
from trainer.scoring.evaluation import evaluate_run
from weighting.storage.json_records import to_json


def run(folder: Path, values: FlatConfig, *, as_json: bool) -> None:
    """Print the losses of a run's newest checkpoint, as a table or as JSON."""
    result = evaluate_run(folder, values, warn)
    if as_json:
        sys.stdout.write(json.dumps(to_json(result)) + "\n")
    else:
        print_evaluation(result, open_console())
