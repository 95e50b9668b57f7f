"""How languages are written, as far as words and rules ask; named by ISO 639 codes.

The codes are those of fastText's lid.176, ISO 639-1 where there is one. This loads nothing, so that
recipes and reports can speak of languages.
"""

ENGLISH = "en"
UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "wuu", "yue", "zh"})  # no space between words
UNENDED = frozenset({"lo", "th"})  # sentences end with a space, not with a mark
