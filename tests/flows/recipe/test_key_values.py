"""KEY=VALUE: what is a value of TOML is one, and all else is text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.recipe.key_values import read_key_values
from weighting.errors import AssayError


@pytest.mark.parametrize(
    ("items", "table"),
    [
        ([], {}),
        (["cap=4"], {"cap": 4}),
        (["cap = 4.5 # high"], {"cap": 4.5}),
        (["share=1e-3", "keep=true"], {"share": 0.001, "keep": True}),
        (["signal=excess"], {"signal": "excess"}),
        (['signal="excess"'], {"signal": "excess"}),
        (["path=a=b"], {"path": "a=b"}),
        (["golden="], {"golden": ""}),
        (['signal=it\'s "new\\n"'], {"signal": 'it\'s "new\\n"'}),
        (["signal=1\nother = 2"], {"signal": "1\nother = 2"}),
        (["dials.excess=0.3", "dials.nll=-1"], {"dials": {"excess": 0.3, "nll": -1}}),
        (["dials={ excess = 0.3 }"], {"dials": {"excess": 0.3}}),
        (["list=[1, 2]"], {"list": [1, 2]}),
    ],
)
def test_items_are_read_as_toml_reads_them(items, table):
    assert read_key_values(items) == table


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["cap"], "'cap': give KEY=VALUE"),
        (["=4"], "'=4': give KEY=VALUE"),
        (["cap=1", "cap=2"], "cap=1, cap=2: Cannot overwrite a value"),
        (["dials=1", "dials.nll=2"], "dials=1, dials.nll=2: Cannot"),
        (["a cap=1"], "a cap=1: Expected '='"),
    ],
)
def test_what_is_no_setting_is_named(items, message):
    with pytest.raises(AssayError, match=message) as caught:
        read_key_values(items)
    assert "\n" not in str(caught.value)


@given(st.text(st.characters(min_codepoint=32, exclude_characters="\x7f")))
def test_any_text_is_read_back(text):
    assert read_key_values([f"key=| {text}"]) == {"key": f"| {text}".strip()}
