"""A recipe's bounds for documents of a language, which count instead of those in `rules`."""

from collections.abc import Mapping
from typing import Any

from pipelines.languages.published import load_published
from pipelines.rules.bounds import Bounds


def list_language_bounds(recipe: Mapping[str, Any]) -> dict[str, dict[str, Bounds]]:
    """Return bounds by language and rule, of a recipe's fields as a manifest has them.

    Published ones where it asks for them, of rules that it has bounds for; before those, its own.
    """
    rules, options = recipe.get("rules", {}), recipe.get("rule_options", {})
    bounds: dict[str, dict[str, Bounds]] = {}
    if options.get("language_bounds") is not None:
        for language, known in load_published().items():
            bounds[language] = {name: known.bounds[name] for name in rules if name in known.bounds}
    for language, table in recipe.get("languages", {}).items():
        own = {name: Bounds(one["min"], one["max"]) for name, one in table.items()}
        bounds[language] = bounds.get(language, {}) | own
    return bounds
