"""Contamination: how much of an evaluation item a document holds (see `pipelines.contamination`).

It is not a family: it is measured on the text after all edits, where its tokens are marked as well.
Its value is the weighed share of the n-grams of the item that is held best. Bounds drop documents.
"""

from collections.abc import Mapping

from pipelines.rules.rule import Rule

NAME = "contamination"
RULES: Mapping[str, Rule] = {
    NAME: Rule(
        "weighed share that the document holds of an evaluation item's n-grams, of the item of"
        " which it holds most",
        source="own",
    ),
}
