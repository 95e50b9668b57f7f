"""A report that TensorBoard can show: every number of every row as a scalar by step."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from trainer.run.metrics import Metrics, Report, Row
from weighting.errors import AssayError


@contextmanager
def writing(folder: Path, step: int) -> Iterator[Report]:
    """Append rows to `folder` as train/NAME and validation/NAME; `step` updates are done already.

    What an earlier process wrote about later steps is hidden: a resumed run writes them again.

    Raises:
        AssayError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise AssayError(
            "tensorboard is not installed; pip install 'assay[tensorboard]', or leave the option"
        ) from None
    writer = SummaryWriter(str(folder), purge_step=step + 1)

    def report(row: Row) -> None:
        for tag, value in name_scalars(row).items():
            writer.add_scalar(tag, value, row.step)

    try:
        yield report
    finally:
        writer.close()


def name_scalars(row: Row) -> dict[str, float]:
    """Return the numbers of a metrics or evaluation row by tag; what is missing is left out."""
    part = "train" if isinstance(row, Metrics) else "validation"
    return {
        f"{part}/{name.removeprefix('validation_')}": float(value)
        for name, value in asdict(row).items()
        if name != "step" and isinstance(value, int | float) and math.isfinite(value)
    }
