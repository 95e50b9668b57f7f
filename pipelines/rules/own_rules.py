"""The records of assay's own rules, family by family, without the kernels that compute them.

Recipes, the report and the database speak of rules without computing any: they read these, and load
no compiled code. How each is computed is in the module of its family, `pipelines/rules/families`.
"""

from collections.abc import Mapping

from pipelines.rules.bounds import Bounds
from pipelines.rules.rule import Rule

DATATROVE = "datatrove's URL filter"
URL_SUBJECT = "a URL in its metadata (rule_options.url_field names the field)"
URL: Mapping[str, Rule] = {
    "url_blocked_domain": Rule(
        "1 if the registered domain (example.co.uk) is listed in blocked_domains",
        Bounds(None, 0),
        DATATROVE,
        needs="blocked_domains",
        subject=URL_SUBJECT,
    ),
    "url_blocked_host": Rule(
        "1 if the whole host (www.example.co.uk, 192.0.2.1) is listed in blocked_domains",
        Bounds(None, 0),
        DATATROVE,
        needs="blocked_domains",
        subject=URL_SUBJECT,
    ),
    "url_blocked_url": Rule(
        "1 if the URL is listed in blocked_urls",
        Bounds(None, 0),
        DATATROVE,
        needs="blocked_urls",
        subject=URL_SUBJECT,
    ),
    "url_hard_words": Rule(
        "distinct hard_words among the URL's runs of ASCII letters and digits",
        Bounds(None, 0),
        DATATROVE,
        needs="hard_words",
        subject=URL_SUBJECT,
    ),
    "url_soft_words": Rule(
        "distinct soft_words among the URL's runs of ASCII letters and digits",
        Bounds(None, 1),
        DATATROVE,
        needs="soft_words",
        subject=URL_SUBJECT,
    ),
    "url_banned_subwords": Rule(
        "distinct banned_subwords anywhere in the URL's letters and digits, run together",
        Bounds(None, 0),
        DATATROVE,
        needs="banned_subwords",
        subject=URL_SUBJECT,
    ),
}

LANGUAGE: Mapping[str, Rule] = {
    "language_score": Rule(
        "largest probability of a language in languages, or of any where none is named",
        Bounds(0.65, None),
        "FineWeb, arXiv 2406.17557, 3.3; fastText's lid.176, arXiv 1607.01759",
    ),
}

RAE = "Rae et al. 2021, arXiv 2112.11446, A.1.1"
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
GOPHER_QUALITY: Mapping[str, Rule] = {
    "gopher_words": Rule("words that are not punctuation alone", Bounds(50, 100_000), RAE),
    "gopher_mean_word_length": Rule(
        "characters of words that are not punctuation alone / their number",
        Bounds(3, 10),
        RAE,
    ),
    "gopher_hashes": Rule("`#` / words, punctuation marks too", Bounds(None, 0.1), RAE),
    "gopher_ellipses": Rule(
        "`...` (without overlap) and `…` / words, punctuation marks too",
        Bounds(None, 0.1),
        RAE,
    ),
    "gopher_bullet_lines": Rule(
        "lines that start with `•` or `-` after white space / lines",
        Bounds(None, 0.9),
        RAE,
    ),
    "gopher_ellipsis_lines": Rule(
        "lines that end in `...` or `…` before white space / lines",
        Bounds(None, 0.3),
        RAE,
    ),
    "gopher_alphabetic": Rule(
        "words with an alphabetic character / words, punctuation marks too",
        Bounds(0.8, None),
        RAE,
    ),
    "gopher_stop_words": Rule(
        f"distinct words of {', '.join(STOP_WORDS)}, or of the document's language; case counts",
        Bounds(2, None),
        RAE,
        asks="a list of stop words",
    ),
}

RAE_TABLE = "Rae et al. 2021, arXiv 2112.11446, table A1"
# Lengths of n-grams, and the highest share that was published.
TOP: Mapping[int, float] = {2: 0.2, 3: 0.18, 4: 0.16}
REPEATED: Mapping[int, float] = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
GOPHER_REPETITION: Mapping[str, Rule] = {
    "gopher_dup_paragraphs": Rule("repeated paragraphs / paragraphs", Bounds(None, 0.3), RAE_TABLE),
    "gopher_dup_paragraph_chars": Rule(
        "characters in repeated paragraphs / characters", Bounds(None, 0.2), RAE_TABLE
    ),
    "gopher_dup_lines": Rule("repeated lines / lines", Bounds(None, 0.3), RAE_TABLE),
    "gopher_dup_line_chars": Rule(
        "characters in repeated lines / characters", Bounds(None, 0.2), RAE_TABLE
    ),
    **{
        f"gopher_top_{n}gram": Rule(
            f"length, with blanks, times count of the commonest {n}-gram of words that occurs twice"
            " or more (of several the first) / characters",
            Bounds(None, high),
            RAE_TABLE,
        )
        for n, high in TOP.items()
    },
    **{
        f"gopher_dup_{n}gram": Rule(
            f"characters, without blanks, in repeated {n}-grams of words, taken from left to right"
            " without overlap / characters",
            Bounds(None, high),
            RAE_TABLE,
        )
        for n, high in REPEATED.items()
    },
}

SENTENCE_MARKS = "marks at the ends of sentences"
RAFFEL = "Raffel et al. 2020, arXiv 1910.10683, 2.2"
LONGEST_WORD = 1000  # characters of a word, which is a run of non-space characters here
FEWEST_WORDS = 3
POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
C4: Mapping[str, Rule] = {
    "c4_long_word_lines": Rule(
        f"lines with a word of more than {LONGEST_WORD:,} characters", source=RAFFEL
    ),
    "c4_unterminated_lines": Rule(
        "lines that do not end in `.` `?` `!` `\"` `'` (outside English any script's marks and"
        " quotes), or end in `...`; none without terminal_punctuation",
        source=RAFFEL,
        asks=SENTENCE_MARKS,
    ),
    "c4_short_lines": Rule(
        f"lines of fewer than {FEWEST_WORDS} words, counted before citation marks go",
        source=RAFFEL,
    ),
    "c4_javascript_lines": Rule("lines with `javascript`, any case", source=RAFFEL),
    "c4_policy_lines": Rule(f"lines with {', '.join(POLICIES)}, any case", source=RAFFEL),
    "c4_lorem_ipsum": Rule("lines with `lorem ipsum`, any case", Bounds(None, 0), RAFFEL),
    "c4_curly_brackets": Rule("lines with `{`", Bounds(None, 0), RAFFEL),
    "c4_sentences": Rule(
        "sentences in the lines that C4's line rules leave",
        Bounds(5, None),
        RAFFEL,
        asks=SENTENCE_MARKS,
    ),
    "c4_paragraphs": Rule(
        "characters of the third longest line, 0 for fewer lines",
        Bounds(200, None),
        "mC4, arXiv 2010.11934, 3.1",
    ),
}

TERMINATORS = 159  # of `pipelines.words.punctuation`
PENEDO = "Penedo et al. 2024, arXiv 2406.17557, 3.6"
SHORT = 30  # characters
FINEWEB_QUALITY: Mapping[str, Rule] = {
    "fineweb_line_punctuation": Rule(
        f"lines that end in one of {TERMINATORS} sentence terminators (no quotes, no `…`) / lines",
        Bounds(0.12, None),
        PENEDO,
        asks=SENTENCE_MARKS,
    ),
    "fineweb_short_lines": Rule(
        f"lines of at most {SHORT} characters / lines", Bounds(None, 0.67), PENEDO
    ),
    "fineweb_dup_line_chars": Rule(
        "characters in repeated lines / characters that are not newlines",
        Bounds(None, 0.01),
        PENEDO,
    ),
    "fineweb_newlines": Rule("newlines / words, punctuation marks too", Bounds(None, 0.3), PENEDO),
}

BAD_WORDS: Mapping[str, Rule] = {
    "c4_bad_words": Rule(
        "distinct phrases of bad_words in the lower-cased text, as whole words but in ja, th, zh",
        Bounds(None, 0),
        "Raffel et al. 2020, arXiv 1910.10683, 2.2",
        needs="bad_words",
        subject="a language for which rule_options.bad_words has a list",
    ),
}

UNIGRAM: Mapping[str, Rule] = {
    "unigram_log_probability": Rule(
        "mean ln p of the lower-cased words by the counts of unigrams, 1e-9 for other words; nats",
        Bounds(-10, None),
        "peS2o, as datatrove has it",
        needs="unigrams",
        asks="spaces between words",
    ),
}

NOUNS: Mapping[str, str] = {
    "email": "e-mail addresses",
    "ip": "public IP addresses",
    "phone": "phone numbers",
    "card": "card numbers",
    "iban": "bank account numbers (IBAN)",
}
PII: Mapping[str, Rule] = {
    f"pii_{kind}": Rule(f"{what} that the edit `clean.pii` would find", source="own")
    for kind, what in NOUNS.items()
}

LENGTH: Mapping[str, Rule] = {
    "length_chars": Rule("characters", source="own"),
    "length_words": Rule("runs of characters that are not white space", source="own"),
}
