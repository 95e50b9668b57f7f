"""Arms from text: a name, and values of fields."""

import pytest

from trainer.config.arms import DEFAULT_ARMS, parse_arm, read_arms
from weighting.errors import AssayError


def test_ready_made_arms_come_first_and_are_the_default():
    assert read_arms("", []) == DEFAULT_ARMS
    assert read_arms("weighted", ["slow:lr=0.001"]) == {
        "weighted": {"objective": "weighted"},
        "slow": {"lr": 0.001},
    }
    with pytest.raises(AssayError, match="no arm 'gold'"):
        read_arms("gold", [])
    with pytest.raises(AssayError, match="arm 'plain' is given twice"):
        read_arms("plain", ["plain:lr=1"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("base", ("base", {})),
        ("deep:layers=6,lr=1e-3", ("deep", {"layers": 6, "lr": 0.001})),
        ("u:allow_uniform_weights=true", ("u", {"allow_uniform_weights": True})),
    ],
)
def test_arms_from_text(text, expected):
    assert parse_arm(text) == expected


def test_an_arm_without_a_value_is_refused():
    with pytest.raises(AssayError, match="not of the form"):
        parse_arm("a:lr")
