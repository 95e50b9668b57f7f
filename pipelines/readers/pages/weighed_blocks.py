"""A page's blocks of text, weighed by trafilatura."""

import logging

from pipelines.readers.pages.readings import place_readings


def extract_weighed_blocks(html: str) -> str:
    """Return the text as FineWeb took it: precision before recall, tables kept, comments not.

    FineWeb also had `deduplicate` on. That compares with pages seen before by the same process, so
    a page's text would depend on the order of pages; here later stages find repetition.

    trafilatura makes blanks of any kind spaces and composes characters (NFC).
    """
    from trafilatura import extract, load_html  # takes a second, and not every run needs it

    from pipelines.readers.pages import stand_ins
    from pipelines.readers.pages.tree_repairs import repair_tree

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs every empty page
    tree = load_html(place_readings(html))
    if tree is None:
        return ""
    repair_tree(tree)
    replaced = stand_ins.choose_stand_ins(set(tree.text_content()))
    stand_ins.put(tree, replaced)
    text = extract(tree, favor_precision=True, include_comments=False, deduplicate=False) or ""
    return stand_ins.take_out(text, replaced)
