"""What the jobs need to know, as frozen dataclasses that travel to the workers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.readers.records import ReadOptions
from pipelines.rules.bounds import Bounds
from pipelines.work.folder import WorkFolder
from weighting.policies.registry import PolicyParams
from weighting.policies.selection import Selection


@dataclass(frozen=True)
class EditSettings:
    """What is changed in a text. Order: repair, symbol lines, (rules,) line rules, PII."""

    repair: bool = True
    symbol_lines: bool = False  # remove lines of nothing but symbols
    line_rules: bool = False  # remove the lines that fail C4's line rules
    pii: tuple[str, ...] = ()  # kinds to replace; see `edits.pii.KINDS`


@dataclass(frozen=True)
class RuleSettings:
    """What rules need besides the text. Paths are of UTF-8 lists that the user provides."""

    families: tuple[str, ...] = ()  # whose values are computed; none named: all
    compat: bool = False  # reproduce the known faults of the reference implementation
    terminal_punctuation: bool = True  # C4's line rule 3, which the FineWeb recipe leaves out
    languages: tuple[str, ...] = ("en",)  # wanted ones, ISO 639-1
    bad_words: Mapping[str, str] = field(default_factory=dict)  # language -> list, a phrase a line
    unigrams: str | None = None  # CSV of word,count
    blocked_domains: str | None = None  # registered domains or hosts, one a line
    blocked_urls: str | None = None
    hard_words: str | None = None  # one of these in a URL drops it
    soft_words: str | None = None  # two do
    banned_subwords: str | None = None  # anywhere in a URL's letters and digits


@dataclass(frozen=True)
class NearSettings:
    """MinHash-LSH over word shingles; the defaults are datatrove's, `jaccard` is FineWeb's aim."""

    words: int = 5  # of a shingle
    bands: int = 14
    rows: int = 8  # hashes of a band
    seed: int = 1
    jaccard: float = 0.75  # least similarity of two documents that are copies


@dataclass(frozen=True)
class PassageSettings:
    """What is a repeated passage: a line, a paragraph, or a run of words of several documents."""

    words: int = 50  # least length of a run
    line_chars: int = 30  # least length of a line, stripped
    documents: int = 2  # least number of documents that hold it
    delete: bool = False  # from all documents but one; else it is marked


@dataclass(frozen=True)
class DedupeSettings:
    """Which documents are copies, which copy stays, and which passages are repeated."""

    exact: bool = True
    near: NearSettings | None = field(default_factory=NearSettings)
    passages: PassageSettings | None = field(default_factory=PassageSettings)
    quality: str | None = None  # rule whose higher value is better; none: fewest failed rules
    index: bool = True  # keep what a later run needs to be compared with this one
    memory: int = 256_000_000  # bytes that one process may take for one range of hashes


@dataclass(frozen=True)
class EvaluationSet:
    """A file of evaluation items, one JSON object a line, compressed or not."""

    name: str
    path: str
    question: str  # field with the text that is shown
    answer: str | None = None  # field with the text, or the texts, that are asked for
    label: str | None = None  # field that says which of several answers is right


@dataclass(frozen=True)
class ContaminationSettings:
    """How evaluation items are looked for."""

    sets: tuple[EvaluationSet, ...]
    words: int = 13  # of an n-gram
    least_words: int = 8  # items of fewer words than `words` are one n-gram, down to this length
    question: float = 1.0  # weight of the share of n-grams found in the question alone
    answer: float = 1.0  # weight of the share of those that hold words of the answer
    share: float = 0.1  # least weighed share of an item's n-grams for it to count


@dataclass(frozen=True)
class CurateSettings:
    """Reading, cleaning and deduplication. `bounds` names the rules that drop."""

    read: ReadOptions = field(default_factory=ReadOptions)
    edit: EditSettings = field(default_factory=EditSettings)
    rules: RuleSettings = field(default_factory=RuleSettings)
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    dedupe: DedupeSettings | None = field(default_factory=DedupeSettings)
    contamination: ContaminationSettings | None = None
    against: tuple[str, ...] = ()  # folders of earlier runs whose documents count as published


@dataclass(frozen=True)
class ModelSettings:
    """Which models score the tokens, and how. Folders are of training runs of `trainer`."""

    reference: str  # whose newest checkpoint is the reference
    checkpoints: int = 1  # of its run, evenly spread, the newest included; 1: no trajectory
    short: int = 0  # tokens of the short context; 0: no context gain
    second: str | None = None  # another run, for disagreement


@dataclass(frozen=True)
class ScoreSettings:
    """Tokenizing, splitting, and the signals."""

    validation_share: float = 0.02
    order: int = 3  # longest n-gram that is counted, 2 to 5
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
