"""What makes two runs one run: config, data, and the package of an objective that is not assay's.

Checkpoints and results carry it, so that a run is never continued as another one. Only what changes
the result counts: not where the data lies, nor how often rows and checkpoints are written.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from trainer.config.flat import FlatConfig, check_same, check_same_config, flatten, override
from trainer.config.schema import ResolvedConfig, TrainConfig
from trainer.data.corpus import DataFingerprint
from trainer.objectives.registry import find_extensions
from trainer.run.places import relate
from weighting.errors import AssayError
from weighting.extensions import Extension

STEPS = "steps"


@dataclass(frozen=True, kw_only=True)
class RunIdentity:
    """The identity of a run, and the part of its records that says so."""

    config: FlatConfig
    data: DataFingerprint
    extensions: tuple[Extension, ...] = ()
    init_sha256: str | None = None  # of the parameters that it began from, where another run's
    places: Mapping[str, str] = field(default_factory=dict)  # the config's, from the run's folder


@dataclass(frozen=True, kw_only=True)
class Begun(RunIdentity):
    """A run of which some updates are done."""

    step: int  # updates done
    tokens: int  # targets seen


def identify(config: ResolvedConfig, data: DataFingerprint, out: Path | None = None) -> RunIdentity:
    """Return the identity of a run of a config on data, in the folder `out`.

    Raises:
        AssayError: it is to begin from the parameters of a run that is not there.
    """
    init_sha256 = None
    if config.init:
        from trainer.run.initial import find_init_sha256  # with torch

        init_sha256 = find_init_sha256(config, out)
    flat = flatten(config)
    return RunIdentity(
        config=flat,
        data=data,
        extensions=find_extensions(config.objectives.objective),
        init_sha256=init_sha256,
        places=relate(flat, out) if out else {},
    )


def check_identity(path: Path, then: RunIdentity, now: RunIdentity) -> None:
    """Raise AssayError that names the first difference between what `path` says and what is now.

    What has begun may be asked for more steps, if the rate of every step done does not depend on
    their number.
    """
    check_same_config(path, {**then.config, STEPS: 0}, {**now.config, STEPS: 0})
    check_same(path, asdict(then.data), asdict(now.data))
    check_same(path, _name_versions(then), _name_versions(now))
    if then.init_sha256 != now.init_sha256:
        began = then.config.get("init") or "random ones"
        raise AssayError(
            f"{path}: began from other parameters, {began}; give the same init, or another folder"
        )
    if then.config[STEPS] != now.config[STEPS]:
        _check_steps(path, then, now)


def _check_steps(path: Path, then: RunIdentity, now: RunIdentity) -> None:
    from trainer.run.optim import lr_at  # with torch

    done = then.step if isinstance(then, Begun) else 0
    old, new = (override(TrainConfig(), each.config) for each in (then, now))
    told = f"{path}: made with steps {old.steps}, now steps is {new.steps}"
    if done > new.steps:
        raise AssayError(f"{told}, and {done} are done; give more, or another folder")
    changed = next((step for step in range(done) if lr_at(step, old) != lr_at(step, new)), None)
    if changed is not None:
        raise AssayError(
            f"{told}, with which step {changed + 1} of the {done} done would have had another "
            f"rate (schedule {old.schedule}, warmup {old.warmup} and {new.warmup}); give the same "
            "steps, or begin in another folder with --init from these parameters"
        )


def _name_versions(identity: RunIdentity) -> dict[str, str]:
    return {f"package {one.package}": one.version for one in identity.extensions}
