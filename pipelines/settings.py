"""What the jobs need to know, as frozen dataclasses that travel to the workers.

Their knobs are the keys of a recipe, which is where bounds are checked (`flows.recipe.tables`);
kernels take more than recipes allow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pipelines.readers.records import ReadOptions
from pipelines.rules.bounds import Bounds
from pipelines.work.folder import WorkFolder
from weighting.errors import AssayError
from weighting.knobs import Names, knob
from weighting.policies.params import PolicyParams
from weighting.policies.selection import Selection
from weighting.signals.model_settings import ModelSettings
from weighting.signals.ngrams import ORDERS

FileName = Annotated[str, Names("file")]
RuleName = Annotated[str, Names("rule")]


@dataclass(frozen=True)
class EditSettings:
    """What is changed in every text.

    In this order: repair, symbol lines, (here the rules see the text,) line rules, personal data.
    """

    repair: bool = knob(True, "Unicode repair with ftfy, before the rules see the text.")
    symbol_lines: bool = knob(
        False, "Remove lines of nothing but symbols, before the rules see the text."
    )
    line_rules: bool = knob(False, "Remove the lines that fail C4's line rules.")
    pii: tuple[Annotated[str, Names("kind")], ...] = knob(
        (), "Personal data to replace, last of all."
    )


@dataclass(frozen=True)
class RuleSettings:
    """What rules need besides the text. A relative path starts at the recipe's folder.

    Paths are of UTF-8 lists that the user provides.
    """

    families: tuple[Annotated[str, Names("family")], ...] = knob(
        (), "Rule families whose values are computed; none named: all."
    )
    compat: bool = knob(False, "Reproduce the known faults of the reference implementation.")
    terminal_punctuation: bool = knob(
        True, "C4's line rules ask for a punctuation mark at the end of a line."
    )
    languages: tuple[Annotated[str, Names("language")], ...] = knob(
        ("en",), "Wanted languages, ISO 639-1 (of those that have no such code, ISO 639-3)."
    )
    language_bounds: Literal["fineweb-2"] | None = knob(
        None,
        "Where these are published for a document's language, they count instead of the bounds in "
        "[rules], rule by rule.",
    )
    bad_words: Mapping[str, FileName] = knob(
        default_factory=dict, help="Language to list of phrases, one a line."
    )
    unigrams: FileName | None = knob(None, "CSV of word,count.")
    url_field: str | None = knob(
        None,
        "The metadata field that holds a document's URL, one in an object with a dot: meta.url; "
        "not given: where corpora usually have it.",
    )
    blocked_domains: FileName | None = knob(None, "Registered domains or hosts, one a line.")
    blocked_urls: FileName | None = knob(None, "URLs, one a line.")
    hard_words: FileName | None = knob(None, "Words of which one in a URL drops it, one a line.")
    soft_words: FileName | None = knob(None, "Words of which two in a URL drop it, one a line.")
    banned_subwords: FileName | None = knob(
        None, "What may stand nowhere in a URL's letters and digits, one a line."
    )

    def wants(self, family: str) -> bool:
        """Say whether the values of a family are computed."""
        return not self.families or family in self.families


@dataclass(frozen=True)
class NearSettings:
    """MinHash-LSH over word shingles; the defaults are datatrove's, `jaccard` is FineWeb's aim."""

    words: int = knob(5, "Words of a shingle.", least=1, most=100)
    bands: int = knob(
        14,
        "Bands of the MinHash: two documents that agree in one are compared.",
        least=1,
        most=255,
    )
    rows: int = knob(8, "Hashes of a band.", least=1, most=64)
    seed: int = knob(1, "Seed of the hash functions.", least=0, below=2**32)
    jaccard: float = knob(
        0.75,
        "Least share of shingles in common, of all that two near copies have.",
        above=0,
        most=1,
    )
    numbers: Literal["zero", "keep"] = knob(
        "zero",
        "What numbers are in texts that are compared: all zero, so that texts that differ in "
        "nothing else are copies, or kept as they are.",
    )
    drop: Literal["cluster", "similar"] = knob(
        "cluster",
        "What goes of documents that are connected as copies of copies: all but the best one, or "
        "only what is itself similar to one that stays.",
    )


@dataclass(frozen=True)
class PassageSettings:
    """What is a repeated passage: a line, a paragraph, or a run of words of several documents."""

    words: int = knob(50, "Least length of a run.", least=2, most=10_000)
    line_chars: int = knob(30, "Least characters of a line or paragraph.", least=1)
    documents: int = knob(2, "Least number of documents that hold it.", least=2)
    delete: bool = False  # from all documents but one; else it is marked


@dataclass(frozen=True)
class DedupeSettings:
    """Which documents are copies, which copy stays, and which passages are repeated."""

    exact: bool = knob(True, "Of documents whose cleaned texts are equal, keep one.")
    near: NearSettings | None = field(default_factory=NearSettings)
    passages: PassageSettings | None = field(default_factory=PassageSettings)
    quality: RuleName | None = knob(
        None,
        "The rule whose higher value is better; without one, the fewest published bounds failed.",
    )
    index: bool = knob(
        True, "Keep what a later run needs to be compared with this one (assay curate --against)."
    )
    memory: int = 256_000_000  # bytes that one process may take for one range of hashes


@dataclass(frozen=True)
class EvaluationSet:
    """A file of evaluation items, one JSON object a line, compressed or not."""

    name: Annotated[str, Names("set")] = knob(help="What the set is called.")
    path: FileName = knob(help="The file.")
    question: str = knob(help="Field with the text that is shown.")
    answer: str | None = knob(None, "Field with the text, or list of texts, that is asked for.")
    label: str | None = knob(None, "Field that says which of several answers is right.")

    def __post_init__(self) -> None:
        """Refuse a label without answers."""
        if self.label is not None and self.answer is None:
            raise AssayError("label says which answer is right: give answer as well")


# Characters with their signs that tell as much as a word, in some scripts of `text.unspaced`. The
# Universal Declaration of Human Rights has 3.6 to 4.5 of them for an English word. Of n-grams of
# 8 English words 0.6 % are in several of its articles; of 24 such characters of Thai 0.4 %, of 8
# 8.2 %.
GRAPHEMES_A_WORD = 3


@dataclass(frozen=True)
class ContaminationSettings:
    """Evaluation items to look for; the rule `contamination` with a max drops the documents."""

    words: int = knob(
        13,
        "Words of an n-gram; in Chinese and Japanese characters, in Thai, Lao, Khmer and Burmese "
        "three characters with their signs for a word.",
        least=1,
        most=100,
    )
    least_words: int = knob(
        8,
        "Shorter items are one n-gram, down to this length in the same unit; those below cannot be "
        "found.",
        least=1,
    )
    question: float = knob(
        1.0, "Weight of the share that is found of the question's n-grams.", least=0
    )
    answer: float = knob(
        1.0,
        "Weight of the share that is found of the n-grams with words of the answer.",
        least=0,
    )
    share: float = knob(
        0.1,
        "An item stands in a document from this weighed share on; its tokens are marked.",
        above=0,
        most=1,
    )
    sets: tuple[EvaluationSet, ...] = knob(
        (),
        "Files of items: { name, path, question, answer, label }; the last two may be left out.",
    )

    @property
    def shortest(self) -> str:
        """The length from which items can be found, in words: of all kinds of scripts."""
        least = self.least_words
        return (
            f"{least} words, in Chinese and Japanese {least} characters, in Thai, Lao, Khmer and "
            f"Burmese {GRAPHEMES_A_WORD * least}"
        )


@dataclass(frozen=True)
class CurateSettings:
    """Reading, cleaning and deduplication.

    `bounds` names the rules that drop; `language_bounds` are other ones for some languages.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    edit: EditSettings = field(default_factory=EditSettings)
    rules: RuleSettings = field(default_factory=RuleSettings)
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    language_bounds: Mapping[str, Mapping[str, Bounds]] = field(default_factory=dict)
    dedupe: DedupeSettings | None = field(default_factory=DedupeSettings)
    contamination: ContaminationSettings | None = None
    against: tuple[str, ...] = ()  # folders of earlier runs whose documents count as published


@dataclass(frozen=True)
class ScoreSettings:
    """Tokenizing, splitting, and the signals."""

    validation_share: float = knob(
        0.02,
        "Share of the documents that is held out, chosen by their id; above 0, one at least.",
        least=0,
        below=1,
    )
    order: int = knob(3, "Longest n-gram that is counted.", least=ORDERS[0], most=ORDERS[-1])
    model: ModelSettings | None = None
    keep: bool = True  # the sidecar


@dataclass(frozen=True)
class WeighSettings:
    """The policy, and which documents are chosen."""

    policy: str = "soft"
    params: PolicyParams = field(default_factory=PolicyParams)
    selection: Selection | None = None


@dataclass(frozen=True)
class Job:
    """Where a run lives and where its stages keep their temporary files."""

    run: Path
    work: WorkFolder

    def output(self, folder: str, uid: int, suffix: str) -> Path:
        """Return the path of a unit's output file in RUN/folder."""
        return self.run / folder / f"{uid:06d}{suffix}"
