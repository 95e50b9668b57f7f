"""What a page states of itself."""

from resiliparse.parse.html import HTMLTree


def describe_page(html: str) -> dict[str, str]:
    """Return the page's `title` and `language` (of its html element), where it states them."""
    tree = HTMLTree.parse(html)
    root = tree.document.query_selector("html") if tree.document else None
    language = root.getattr("lang") or root.getattr("xml:lang") if root else None
    stated = {"title": tree.title, "language": language}
    return {name: value.strip() for name, value in stated.items() if value and value.strip()}
