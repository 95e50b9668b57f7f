"""What makes two runs one run: config, data, and the package of an objective that is not assay's.

Checkpoints and results carry it, so that a run is never continued as another one.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from trainer.config.flat import FlatConfig, check_same, flatten
from trainer.config.schema import ResolvedConfig
from trainer.data.corpus import DataFingerprint
from trainer.objectives.registry import find_extensions
from weighting.extensions import Extension


@dataclass(frozen=True, kw_only=True)
class RunIdentity:
    """The identity of a run, and the part of its records that says so."""

    config: FlatConfig
    data: DataFingerprint
    extensions: tuple[Extension, ...] = ()


def identify(config: ResolvedConfig, data: DataFingerprint) -> RunIdentity:
    """Return the identity of a run of a config on data."""
    extensions = find_extensions(config.objectives.objective)
    return RunIdentity(config=flatten(config), data=data, extensions=extensions)


def check_identity(path: Path, then: RunIdentity, now: RunIdentity) -> None:
    """Raise AssayError that names the first difference between what `path` says and what is now."""
    check_same(path, then.config, now.config)
    check_same(path, asdict(then.data), asdict(now.data))
    check_same(path, _name_versions(then), _name_versions(now))


def _name_versions(identity: RunIdentity) -> dict[str, str]:
    return {f"package {one.package}": one.version for one in identity.extensions}
