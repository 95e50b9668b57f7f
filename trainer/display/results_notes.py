"""The lines under an ablation's table: set-up, what ± covers, and what is not in it."""

from collections.abc import Iterator, Mapping

from trainer.compare.plan import Plan
from trainer.compare.results import LOSSES, PRIMARY, SPEED, AblationResults
from trainer.config.flat import Value

SHORT = 12  # digits of a hash that people compare
WEIGHTING = {"objective", "shards", "reference"}  # arms that differ here differ in weights


def list_notes(results: AblationResults) -> Iterator[str]:
    """Yield what a reader needs to judge the table, a line each."""
    yield f"set-up: {describe_setup(results)}"
    yield from _tell_arms(results.plan)
    yield from _tell_spread(results)
    tests = sum(pair.p is not None for pair in results.pairs)
    if tests:
        correction = f", with Holm's correction for the {tests} tests of this table"
        yield (
            "differences are taken seed by seed; p: paired t test of validation"
            + (correction if tests > 1 else "")
        )
    yield from _tell_columns(results)
    yield from _tell_speed(results)
    yield from results.warnings


def describe_setup(results: AblationResults) -> str:
    """Return model, data, optimiser and machine in one line; what differs is marked "(by arm)"."""
    plan = results.plan
    differing = {*plan.list_differences()}
    config = {
        name: "(by arm)" if name in differing else value
        for name, value in plan.arms[0].config.items()
    }
    counts = {run.parameters for arm in results.arms for run in arm.runs}
    parts = [
        _describe_model(config, counts),
        "{steps} steps of {batch} x {context} tokens, packing {packing}".format(**config),
        _describe_optimizer(config),
        f"seeds {', '.join(map(str, plan.seeds))}",
        "{device}, {precision}, threads {threads}".format(**config),
        f"data {_describe_data(plan)}",
    ]
    return "; ".join(parts)


def _describe_model(config: Mapping[str, Value], counts: set[int]) -> str:
    text = "{architecture} {layers} x {width}".format(**config)
    text += "" if config["architecture"] == "lstm" else f", heads {config['heads']}"
    if not counts:
        return text
    ends = [f"{count:,}" for count in sorted({min(counts), max(counts)})]
    return f"{text}, {' to '.join(ends)} parameters"


def _describe_optimizer(config: Mapping[str, Value]) -> str:
    text = "{optimizer}, lr {lr} (warm-up of {warmup} steps, {schedule} to {lr_floor:g} of it)"
    return (text + ", weight decay {weight_decay}, clip {clip}").format(**config)


def _describe_data(plan: Plan) -> str:
    data = plan.arms[0].data
    hashes = f"ids {data.train_ids_crc32:08x}, validation {data.validation_ids_crc32:08x}"
    return f"{data.train_tokens:,} tokens ({hashes}; tokenizer {data.tokenizer_sha256[:SHORT]})"


def _tell_arms(plan: Plan) -> Iterator[str]:
    if len(plan.arms) < 2:
        return
    arms = [
        f"{arm.name} ({', '.join(f'{k}={v}' for k, v in arm.overrides.items()) or 'the base'})"
        for arm in plan.arms
    ]
    yield f"arms: {', '.join(arms)}; the baseline is {plan.baseline}"
    differing = {*plan.list_differences()}
    changed = {name for arm in plan.arms for name in arm.overrides}
    weights = {arm.data.train_weights_crc32 for arm in plan.arms}
    if "lr" not in differing and (changed & WEIGHTING or len(weights) > 1):
        yield (
            f"all arms train at one learning rate, {plan.arms[0].config['lr']}: another may suit "
            "one of them better"
        )
    if plan.other_documents:
        yield "arms train on different documents"


def _tell_spread(results: AblationResults) -> Iterator[str]:
    runs = [run for arm in results.arms for run in arm.runs]
    if not runs:
        return
    documents = results.plan.validation_documents
    behind = f"{runs[0].validation_tokens:,} validation tokens"
    if documents is not None:
        behind += f" of {documents:,} document{'' if documents == 1 else 's'}"
    if max(len(arm.runs) for arm in results.arms) > 1:
        yield (
            f"±: 95 % interval of the mean over seeds (Student's t); behind each number: {behind}; "
            "how much documents differ is not in ±"
        )
    else:
        yield f"one seed, so no intervals; behind each number: {behind}"


def _tell_columns(results: AblationResults) -> Iterator[str]:
    shown = {name for name in LOSSES if any(arm.find(name) for arm in results.arms)} | {PRIMARY}
    text = "validation: plain loss in nats a token"
    if shown & {"nll_low", "nll_medium", "nll_high"}:
        text += (
            "; frequent, medium, rare: the same on targets whose types, sorted by count, cover the "
            "first 80 %, the next 15 % and the last 5 % of the training tokens"
        )
    yield text


def _tell_speed(results: AblationResults) -> Iterator[str]:
    speeds = [(arm.name, arm.find(SPEED)) for arm in results.arms]
    told = [f"{name} {speed.mean:,.0f}" for name, speed in speeds if speed]
    if told:
        yield f"tokens/s, beside whatever else ran, so no result: {', '.join(told)}"
