"""What makes two runs one run."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainer.records import make_fingerprint
from trainer.machine.process_group import ALONE
from trainer.machine.resources import resolve
from trainer.run.identity import check_identity, identify
from weighting.errors import AssayError
from weighting.extensions import Extension

WHERE = Path("run")


@pytest.fixture
def identity(tiny):
    return identify(resolve(tiny, ALONE), make_fingerprint())


def test_a_run_is_itself_wherever_its_shards_lie(identity):
    moved = replace(identity, config={**identity.config, "shards": "elsewhere"})
    check_identity(WHERE, identity, moved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"config": {"lr": 1.0}}, r"run: made with \w+"),
        ({"data": make_fingerprint(eos_id=3)}, "made with eos_id 3, now eos_id is 0"),
        (
            {"extensions": (Extension("objectives", "mine", "outside", "1.2"),)},
            "made with package outside 1.2, now package outside is None",
        ),
    ],
)
def test_another_config_data_or_package_is_named(identity, change, message):
    with pytest.raises(AssayError, match=message):
        check_identity(WHERE, replace(identity, **change), identity)
