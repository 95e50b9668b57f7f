"""`assay recipe`: presets and files, shown and checked."""

import pytest

from flows.recipe.presets import list_presets
from flows.recipe.sources import load_recipe
from tests.flows.invoking import check_recipe, invoke
from weighting.errors import AssayError


def test_recipes_are_shown_and_checked(tmp_path):
    listed = invoke("recipe", "show")
    assert [line.split()[0] for line in listed.splitlines() if line[0] != " "] == list_presets()
    path = tmp_path / "mine.toml"
    path.write_text(invoke("recipe", "show", "gopher"))
    assert load_recipe(str(path)) == load_recipe("gopher")
    assert "gopher is valid: 21 rules drop" in invoke("recipe", "check", path)
    path.write_text('[read]\ntext = 1\n[split]\nvalidation = "x"')
    assert [line.split(":")[0] for line in check_recipe(path)] == [
        "name", "read.text", "split.validation",
    ]  # fmt: skip
    with pytest.raises(AssayError, match=r"name: missing \(and 2 more: assay recipe check"):
        invoke("recipe", "show", path)
