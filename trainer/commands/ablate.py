"""`trainer ablate`: compare arms over seeds."""

import argparse
import json
import sys
from collections.abc import Mapping

from trainer.commands.console import open_console
from trainer.compare.ablate import AblationConfig, ablate
from trainer.compare.results import RESULTS
from trainer.config.flat import FlatConfig
from trainer.config.schema import TrainConfig
from trainer.display.progress import counting_steps
from trainer.display.tables import print_results
from weighting.storage.json_records import to_json


def run(
    arguments: argparse.Namespace,
    base: TrainConfig,
    arms: Mapping[str, FlatConfig],
    seeds: tuple[int, ...],
) -> None:
    """Train what is not finished and print the comparison, as a table or as JSON."""
    config = AblationConfig(
        out=arguments.out,
        base=base,
        arms=arms,
        seeds=seeds,
        jobs=arguments.jobs,
        other_documents=arguments.other_documents,
    )
    with counting_steps() as progress:
        results = ablate(config, progress)
    if arguments.json:
        sys.stdout.write(json.dumps(to_json(results)) + "\n")
        return
    print_results(results, open_console())
    sys.stdout.write(f"{config.out / RESULTS}\n{config.out / 'curves.png'}\n")
