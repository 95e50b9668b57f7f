"""Text of strangers made harmless to look at: what would act on a reader's screen is spelt out."""

# C0 controls have pictures in Unicode; line ends and tabs have some that more fonts hold. C1
# controls, and what turns, hides or breaks a line of text without leaving a mark, are written as
# their number. The zero-width joiners stay: scripts and emoji are made with them.
_SPELT_OUT = (
    *range(0x80, 0xA0),
    *(0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    *(0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB),
    *range(0xE0000, 0xE0080),
)
_TABLE = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x0A: "⏎",
    0x09: "⇥",
    0x7F: "␡",
    **{code: f"⟨U+{code:04X}⟩" for code in _SPELT_OUT},
}
_LAYOUT = {ord("\n"): "\n", ord("\t"): "\t"}


def show(text: str, layout: bool = False) -> str:
    """Return text with control, direction and invisible characters replaced by visible ones.

    `layout` keeps line ends and tabs.
    """
    return text.translate(_TABLE | _LAYOUT if layout else _TABLE)


def show_line(message: str) -> str:
    """Return a message on one line, made visible: it may quote a file's name, or what is in it."""
    return show(" ".join(message.split()))
