"""The recipes that come with assay: TOML files, one each."""

from importlib.resources import files

PRESETS = files("flows") / "recipe" / "presets"


def list_presets() -> list[str]:
    """Return their names."""
    names = (item.name for item in PRESETS.iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))
