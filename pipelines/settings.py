"""What the jobs need to know, as frozen dataclasses that travel to the workers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.bounds import Bounds
from pipelines.records import ReadOptions
from pipelines.work import Work
from weighting.policies import PolicyParams


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
class CurateSettings:
    """Reading, cleaning and deduplication. `bounds` names the rules that drop."""

    read: ReadOptions = field(default_factory=ReadOptions)
    edit: EditSettings = field(default_factory=EditSettings)
    rules: RuleSettings = field(default_factory=RuleSettings)
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    dedupe: bool = True


@dataclass(frozen=True)
class WeighSettings:
    """Tokenizing, splitting and weighing."""

    validation_share: float = 0.02
    policy: str = "soft"
    params: PolicyParams = field(default_factory=PolicyParams)
    sidecar: bool = True


@dataclass(frozen=True)
class Job:
    """Where a run lives and where its stages keep their temporary files."""

    run: Path
    work: Work

    def output(self, folder: str, uid: int, suffix: str) -> Path:
        """Return the path of a unit's output file in RUN/folder."""
        return self.run / folder / f"{uid:06d}{suffix}"
