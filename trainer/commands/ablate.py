"""`trainer ablate`: compare arms over seeds."""

import argparse
import sys
from collections.abc import Mapping

from trainer.commands.console import warn
from trainer.commands.results import show
from trainer.compare.ablate import ablate, check_complete
from trainer.compare.curves import PICTURE
from trainer.compare.planning import AblationConfig
from trainer.compare.results import RESULTS
from trainer.config.flat import FlatConfig
from trainer.config.schema import TrainConfig
from trainer.display.progress import counting_steps


def run(
    arguments: argparse.Namespace,
    base: TrainConfig,
    arms: Mapping[str, FlatConfig],
    seeds: tuple[int, ...],
) -> None:
    """Train what is not finished and print the comparison, as a table or as JSON.

    Raises:
        Incomplete: printed, but not every run has a result.
    """
    config = AblationConfig(
        out=arguments.out,
        base=base,
        arms=arms,
        seeds=seeds,
        jobs=arguments.jobs,
        other_documents=arguments.other_documents,
        baseline=arguments.baseline,
    )
    with counting_steps() as progress:
        results = ablate(config, progress, warn)
    show(results, "json" if arguments.json else "table")
    if not arguments.json:
        sys.stdout.write(f"\n{config.out / RESULTS}\n{config.out / PICTURE}\n")
    check_complete(results)
