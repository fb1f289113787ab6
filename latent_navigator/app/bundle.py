"""A module of web/ and all that it imports in one file, which a browser loads much faster.

The modules stay as they are; each becomes a function in the file, which runs when it is first
imported. What this knows of JavaScript is the syntax that Biome leaves of imports and exports.
"""

import json
import posixpath
import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";$', re.MULTILINE)
DYNAMIC = re.compile(r"\bimport\(`(\.[^`]+)`\)")  # of a module whose name depends on a value
VALUE = re.compile(r"\$\{[^}]*\}")
EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) ([\w$]+))", re.MULTILINE)
TYPES_ONLY = re.compile(r"^export \{\};$", re.MULTILINE)
# Those on lines of their own. A reader finds them in the source map, which only tools load.
COMMENT = re.compile(r"^[ \t]*(?://.*|/\*(?:(?!\*/)[\s\S])*\*/)[ \t]*$", re.MULTILINE)
OTHER = re.compile(r"^\s*(?:import|export)\b(?!\().*", re.MULTILINE)
ADDRESS = "import.meta.url"
# In all modules these names are those of the bundle.
HEAD = """const $functions = {}, $modules = {};
const $import = (name) => ($modules[name] ??= $functions[name]());
const $importLater = async (name) => {
  if (!$functions[name]) throw new Error(`there is no module ${name}`);
  return $import(name);
};
const $address = (path) => new URL(path, import.meta.url).href;
"""
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class Bundle(NamedTuple):
    """A script, and its source map, which shows the modules in a browser's developer tools."""

    script: str
    source_map: str


def bundle(start: str, names: Collection[str], read: Callable[[str], str]) -> Bundle:
    """The module `start` with all that it imports, directly or not.

    Args:
        start: its name, relative to web/; the script replaces it at its address.
        names: of all modules. read: returns the text of one.

    Raises:
        ValueError: if a module imports one that is not there, or has an import or an export that is
            neither `import { a, b as c } from "./d.js"` nor `export function`, `class` or `const`.
    """
    sources = _with_imports(start, names, read)
    lines = HEAD.splitlines()
    mapped: list[tuple[int, int] | None] = [None] * len(lines)  # of each line: its module and line
    for number, (name, source) in enumerate(sources.items()):
        body = _body(name, source, posixpath.dirname(start)).splitlines()
        # In brackets, so that browsers compile the function at once.
        lines += [f"$functions[{json.dumps(name)}] = (() => {{", *body]
        mapped += [None, *((number, line) for line in range(len(body)))]
        end = [f"return {{ {', '.join(EXPORT.findall(source))} }};", "});"]
        lines += end
        mapped += [None] * len(end)
    call, exported = f"$import({json.dumps(start)});", EXPORT.findall(sources[start])
    lines.append(f"export const {{ {', '.join(exported)} }} = {call}" if exported else call)
    lines.append(f"//# sourceMappingURL={posixpath.basename(start)}.map\n")
    source_map = {
        "version": 3,
        "sources": [posixpath.relpath(name, posixpath.dirname(start) or ".") for name in sources],
        "sourcesContent": list(sources.values()),
        "mappings": ";".join(_mappings(mapped)),
    }
    return Bundle("\n".join(lines), json.dumps(source_map))


def without_comments(source: str) -> str:
    """A module with empty lines in place of comments that have lines of their own."""
    return COMMENT.sub(lambda found: "\n" * found[0].count("\n"), source)


def _with_imports(start: str, names: Collection[str], read: Callable[[str], str]) -> dict[str, str]:
    """By name, the texts of a module and of all that it imports."""
    sources: dict[str, str] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        if name not in names:
            raise ValueError(f"{start} needs the module {name}, which is not in web/; add it")
        sources[name] = read(name)
        waiting += [_beside(name, path) for _, path in IMPORT.findall(sources[name])]
        for path in DYNAMIC.findall(sources[name]):
            before, _, after = VALUE.sub("*", _beside(name, path)).partition("*")
            waiting += [some for some in names if some.startswith(before) and some.endswith(after)]
    return dict(sorted(sources.items()))


def _beside(name: str, path: str) -> str:
    """The name of the module that `name` imports by a relative path."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _body(name: str, source: str, folder: str) -> str:
    """A module as the body of a function, line by line, without comments; `folder` has the bundle.

    Raises:
        ValueError: if it has an import or an export of another form.
    """

    def imported(found: re.Match[str]) -> str:
        names = found[1].replace(" as ", ": ")
        return f"const {{{names}}} = $import({json.dumps(_beside(name, found[2]))});"

    body = IMPORT.sub(imported, without_comments(source))
    body = DYNAMIC.sub(lambda found: f"$importLater(`{_beside(name, found[1])}`)", body)
    body = EXPORT.sub("", TYPES_ONLY.sub("", body))
    if other := OTHER.search(body):
        raise ValueError(f"{name} has the line {other[0]!r}; write it as the other modules do")
    own = posixpath.relpath(name, folder or ".")
    return body.replace(ADDRESS, f"$address({json.dumps(own)})")


def _mappings(places: list[tuple[int, int] | None]) -> Iterator[str]:
    """For each line of a bundle, the module and line that it comes from, as source maps say it."""
    module, line = 0, 0
    for place in places:
        if place is None:
            yield ""
            continue
        yield f"A{_digits(place[0] - module)}{_digits(place[1] - line)}A"
        module, line = place


def _digits(value: int) -> str:
    """A number as source maps write it: base 64, five bits a digit, the sign in the lowest bit."""
    rest, found = abs(value) << 1 | (value < 0), ""
    while True:
        digit, rest = rest & 31, rest >> 5
        found += BASE64[digit | (32 if rest else 0)]
        if not rest:
            return found
