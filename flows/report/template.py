"""The template of the page: how it is filled, and how values are shown in it.

Text of the corpus can hold anything. Every text that the template prints is made visible (see
`flows.visible`) and escaped; only the charts, which this package draws itself, and the page's own
script are markup. The page names the script's hash, so that a browser runs no other.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flows.report import figures
from flows.report.charts.bars import bar, bars
from flows.visible import show

SCRIPT = "page.js.j2"


def fill_page(content: Mapping[str, Any]) -> str:
    """Return the page of what each section shows."""
    environment = _build_environment()
    script = environment.get_template(SCRIPT).render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html.j2").render(
        {**content, "script": Markup(script), "script_hash": f"sha256-{digest}"}
    )


@cache
def _build_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_make_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"bar": bar, "bars": bars}
    environment.filters |= {
        "count": figures.show_count,
        "percent": figures.show_percent,
        "number": figures.show_number,
        "exact": figures.show_exact,
        "value": figures.show_value,
        "size": figures.show_size,
        "seconds": figures.show_seconds,
        "inline": show,
    }
    return environment


def _make_visible(value: object) -> object:
    if isinstance(value, Markup):
        return value
    return "" if value is None else show(str(value), layout=True)
