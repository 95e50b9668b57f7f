"""Tables for people: numbers as they read them, a dash for what is not known."""

import io

from rich.console import Console

from tests.trainer.records import make_evaluation
from trainer.display.tables import format_number, print_evaluation


def test_numbers():
    assert [format_number(value) for value in (None, 12345, 2.5)] == ["-", "12,345", "2.5000"]


def test_an_evaluation_shows_every_number():
    file = io.StringIO()
    print_evaluation(
        make_evaluation(7, 2.25, validation_tokens=4096), Console(file=file, width=120)
    )
    for part in ("step", "7", "validation_nll", "2.2500", "4,096", "bits_per_byte"):
        assert part in file.getvalue()
