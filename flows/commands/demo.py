"""`assay demo`: the whole way, on text that every machine with Python has."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import Json, Out, Overwrite, Workers
from weighting.storage.lock import locking

CORPUS = "python-docs:10"  # MB of documentation; about 3 M tokens are left of it
RECIPE = "python-docs"
STEPS = 1000
SEEDS = 3


def demo(
    out: Out = Path("runs/demo"),
    corpus: Annotated[str, typer.Option(help="what to curate")] = CORPUS,
    steps: Annotated[int, typer.Option(min=1, help="training steps of each run")] = STEPS,
    seeds: Annotated[int, typer.Option(min=1, help="seeds of each arm")] = SEEDS,
    workers: Workers = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """From the documentation on this machine to a compared pair of training runs."""
    from flows.operations.log import keeping_log
    from flows.operations.output import describe_run, telling
    from flows.recipe.sources import load_recipe
    from flows.run.comparison import compare_objectives, plan_comparison
    from flows.run.prepare import CurateRequest
    from flows.run.presentation import build_views
    from flows.run.stages import run_stages
    from flows.run.summary import print_paths, print_summary
    from trainer.compare.ablate import check_complete
    from trainer.machine.resources import count_cores

    with telling(as_json) as output:
        request = CurateRequest([corpus], out, load_recipe(RECIPE), overwrite=overwrite)
        with locking(out), keeping_log(out) as log:
            run_stages(request, output.console, workers or count_cores(), log=log)
            print_summary(out, output.console)
            config = plan_comparison(out, steps, seeds, jobs=count_cores())
            output.console.rule("plain against weighted next-token training")
            results = compare_objectives(config, output.console)
            verdicts = list(results.verdicts)
            log.write("models compared", folder=str(config.out), verdicts=verdicts)
            build_views(out, output.console)
            print_paths(out, output.console)
        output.facts |= {**describe_run(out), "ablation": str(config.out), "verdicts": verdicts}
        check_complete(results)
