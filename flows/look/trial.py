"""What recipes would make of the records that were looked at, and the recipe to begin with."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import pyarrow as pa

from flows.look.survey import Survey
from flows.recipe.schema import Recipe
from flows.recipe.sources import load_recipe
from pipelines.edits.repair import repair
from pipelines.languages.writing import ENGLISH
from pipelines.readers.records import ReadOptions, Record
from pipelines.readers.registry import READERS
from pipelines.rules.batch import Batch
from pipelines.rules.registry import annotate, find_failures

PAGES = ("warc", "html")  # readers of web pages, which fineweb is for
LAST = "minimal"  # drops nothing
ENGLISH_PAGES, ANY_PAGES = "fineweb", "fineweb-2"
NAMED = 4  # languages that are named
ENOUGH = 0.5  # share of the sampled documents that a suggested recipe keeps
TAKERS = 3  # rules that are named
MARKUP = re.compile(r"</(?:p|div|body|html|li|td)>", re.IGNORECASE)


class Trial(NamedTuple):
    """What a recipe's rules alone keep of some documents, and the rules that most of them fail.

    `languages` counts the documents by the language that they are judged as.
    """

    recipe: str
    documents: int
    kept: int
    takers: list[tuple[str, int]]
    languages: Counter[str]

    @property
    def is_foreign(self) -> bool:
        """Whether most documents are in other languages than English."""
        return self.languages.total() > 2 * self.languages[ENGLISH]


@dataclass(frozen=True)
class Suggestion:
    """The recipe to begin with: a preset, or one with another table `read`; why; what was tried."""

    recipe: Recipe
    is_preset: bool
    reasons: list[str]
    trials: list[Trial]


def find_reading(survey: Survey, options: ReadOptions) -> tuple[ReadOptions, list[str]]:
    """Return how the inputs are to be read, and the reasons for what is other than asked for."""
    reasons: list[str] = []
    if name := survey.text_field:
        reasons.append(f"no record has a field {options.text_field!r}; the longest text is {name}")
        options = replace(options, text_field=name)
    texts = [
        sample.text
        for look in survey.looks
        if look.reader and READERS[look.reader].structured
        for sample in look.samples
    ]
    if texts and not options.html and 2 * sum(map(_is_markup, texts)) > len(texts):
        reasons.append("most texts are HTML")
        options = replace(options, html=True)
    return options, reasons


def suggest(survey: Survey, options: ReadOptions, reasons: Sequence[str]) -> Suggestion:
    """Return the first recipe whose rules keep enough of the records that were looked at.

    `survey` is of inputs read as `options` say; `reasons` are those for the options.
    """
    records = [record for look in survey.looks for record in look.samples]
    pages = any(found.reader in PAGES for found in survey.formats) or options.html
    trials: list[Trial] = []
    names = [*([ENGLISH_PAGES] if pages else []), "gopher", LAST]
    while names:
        recipe = load_recipe(names.pop(0))
        trials.append(try_recipe(recipe, records))
        if trials[-1].kept >= ENOUGH * len(records):
            break
        if recipe.name == ENGLISH_PAGES and trials[-1].is_foreign:
            names.insert(0, ANY_PAGES)
    read = replace(options, extractor=recipe.read.extractor)
    return Suggestion(
        recipe if read == recipe.read else recipe.model_copy(update={"read": read}),
        read == recipe.read,
        [*reasons, *_explain(trials)],
        trials,
    )


def try_recipe(recipe: Recipe, records: Sequence[Record]) -> Trial:
    """Return what the rules of a recipe keep of records; copies are not looked for."""
    settings = recipe.curate_settings()
    edits = settings.edit
    texts = [repair(one.text).text if edits.repair else one.text for one in records]
    batch = Batch(
        pa.array(texts, pa.string()),
        pa.array([one.metadata for one in records], pa.string()),
        settings.rules,
        edits.line_rules,
    )
    own, judged_as = settings.language_bounds, batch.judged_as_D
    failed = find_failures(annotate(batch), settings.bounds, own, judged_as) if records else []
    takers = Counter(name for names in failed for name in names).most_common(TAKERS)
    kept = sum(not names for names in failed)
    return Trial(recipe.name, len(records), kept, takers, Counter(batch.judged_as_D))


def _explain(trials: Sequence[Trial]) -> Iterator[str]:
    if trials[0].is_foreign:
        found = trials[0].languages.most_common(NAMED)
        told = ", ".join(f"{language} {count}" for language, count in found)
        yield f"documents by the language that they are judged as: {told}"
    for trial in trials:
        takers = ", ".join(f"{count} fail {name}" for name, count in trial.takers)
        drops = f": {takers}" if takers else ""
        yield f"rules of {trial.recipe} keep {trial.kept} of {trial.documents} documents{drops}"


def _is_markup(text: str) -> bool:
    return MARKUP.search(text) is not None
