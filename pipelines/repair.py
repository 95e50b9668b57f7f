"""Unicode repair with ftfy: mojibake, HTML entities, terminal escapes, control characters.

What reads as intended is left alone: ligatures, full-width letters, curly quotes, line breaks and
Unicode normal forms stay. The same settings as the FineWeb recipe's.
"""

import re

import ftfy

CONFIG = ftfy.TextFixerConfig(
    unescape_html="auto",
    remove_terminal_escapes=True,
    remove_control_chars=True,
    fix_encoding=True,
    fix_surrogates=True,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    normalization=None,
)
# ASCII text without these has nothing that any of the fixes above looks for.
SUSPECT = re.compile(r"[&\x00-\x08\x0b\x0e-\x1f\x7f]")


def repair(text: str) -> str:
    """Return the repaired text: valid Unicode, no control characters, entities resolved."""
    if text.isascii() and not SUSPECT.search(text):
        return text
    return str(ftfy.fix_text(text, CONFIG))
