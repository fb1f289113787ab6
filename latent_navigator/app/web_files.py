"""The page's own files, in web/: its modules, its styles and the fragments of its HTML."""

import re
from collections.abc import Callable
from pathlib import Path

from latent_navigator.app.bundle import bundle

WEB = Path(__file__).parent.parent.parent / "web"
ENTRIES = ("page.js", "core/sheet_worker.js")  # each is served with all that it imports
STYLES = "styles.css"  # all styles in one file, made from the others
FRAGMENT = re.compile(r"<!-- ([\w/]+\.html) -->")


def web_file(name: str) -> str:
    """The text of a file of web/."""
    return (WEB / name).read_text(encoding="utf-8")


def page_template() -> str:
    """The HTML of the page, in which expressions over the props stand as ${...}."""
    return _with_fragments(web_file("page.html"))


def _with_fragments(html: str) -> str:
    """HTML with the fragments that it names, and those that these name."""
    return FRAGMENT.sub(lambda match: _with_fragments(web_file(match[1])), html)


def module_names() -> list[str]:
    """The modules of the page, relative to web/."""
    names = sorted(path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js"))
    return [name for name in names if name != "startup.js"]


def page_styles() -> str:
    """All styles of the page; page.css, which the others build on, comes first."""
    names = sorted(path.relative_to(WEB).as_posix() for path in WEB.rglob("*.css"))
    names.sort(key=lambda name: name != "page.css")
    return "\n".join(web_file(name) for name in names if name != "startup.css")


def web_contents() -> dict[str, Callable[[], bytes]]:
    """By name, functions that return what browsers fetch of the page, as it is now."""
    names = module_names()
    contents = {name: web_file(name) for name in names}
    for name in ENTRIES:
        contents[name], contents[f"{name}.map"] = bundle(name, names, web_file)
    contents[STYLES] = page_styles()
    return {name: _maker(text.encode()) for name, text in contents.items()}


def _maker(content: bytes) -> Callable[[], bytes]:
    return lambda: content
