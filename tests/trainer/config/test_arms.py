"""Arms from text: a name, and values of fields."""

import pytest

from trainer.config.arms import DEFAULT_ARMS, parse_arm, read_arms, read_seeds
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
        (" fast : lr = 0.5 , layers=2 ", ("fast", {"lr": 0.5, "layers": 2})),
        ("u:allow_uniform_weights=true", ("u", {"allow_uniform_weights": True})),
    ],
)
def test_arms_from_text(text, expected):
    assert parse_arm(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:lr", "arm 'a:lr': 'lr' is not of the form field=value"),
        ("a:lr=1e-3,lr=1e-2", "arm 'a:lr=1e-3,lr=1e-2': lr is given twice"),
        ("a:rl=1", "arm 'a:rl=1': no field 'rl'"),
        ("a:lr=", "arm 'a:lr=': lr is '', must be float"),
        ("a:layers=two", "arm 'a:layers=two': layers is 'two', must be int"),
    ],
)
def test_what_is_no_arm_is_refused(text, message):
    with pytest.raises(AssayError, match=message):
        parse_arm(text)


def test_a_ready_made_arm_is_named_once():
    assert list(read_arms("weighted, plain", [])) == ["weighted", "plain"]
    with pytest.raises(AssayError, match="arm 'plain' is given twice"):
        read_arms("plain,plain", [])


def test_seeds_from_text():
    assert read_seeds("3, 1,2") == (3, 1, 2)
    for text in ("", "0,,1", "0-4", "1.5", "two"):
        with pytest.raises(AssayError, match="must be whole numbers, as 0,1,2"):
            read_seeds(text)
    with pytest.raises(AssayError, match="must be ≥ 0"):
        read_seeds("0,-1")
