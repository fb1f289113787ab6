"""The modules of the page in one file: what they do, and what a browser's tools show of them."""

import json
import textwrap
from pathlib import Path

import pytest
from pygments.lexers.javascript import JavascriptLexer
from pygments.token import Comment

from latent_navigator.app.bundle import Bundle, bundle, without_comments
from latent_navigator.app.web_files import ENTRIES, module_names, web_file
from tests.node import run_node

MODULES = {
    "start.js": """
        import { add, Count as Counter } from "./core/sums.js";
        import {
          steps,
          wait,
        } from "./core/sums.js";

        export async function run(layer) {
          const counter = new Counter();
          counter.add(add(1, 2));
          const { name } = await import(`./layers/${layer}.js`);
          const lost = await import(`./layers/${layer}s.js`).catch(() => "lost");
          return [counter.total, [...steps()], await wait(7), name, lost];
        }
        export const untouched = 'import { a } from "./b.js";';
    """,
    "core/sums.js": """
        import { here } from "./here.js";
        export class Count { total = here.length; add(n) { this.total += n; } }
        export function add(a, b) { return a + b; }
        export function* steps() { yield 1; yield 2; }
        export async function wait(n) { return n; }
    """,
    "core/here.js": """
        /** @typedef {import("./types.js").Some} Some */
        const evaluations = (globalThis.evaluations ?? 0) + 1;
        globalThis.evaluations = evaluations;
        export const here = [new URL("./worker.js", import.meta.url).pathname, evaluations];
    """,
    "core/types.js": "export {};",
    "layers/points.js": """
        import { here } from "../core/here.js";
        export const name = [here[0].split("/").slice(-2).join("/"), here[1]];
    """,
    "layers/broken.js": "throw new Error('this layer is broken');",
}
TEXTS = {name: textwrap.dedent(text).lstrip() for name, text in MODULES.items()}


def bundled(start: str, **changes: str) -> Bundle:
    texts = TEXTS | {f"{name}.js": text for name, text in changes.items()}
    return bundle(start, texts, texts.__getitem__)


def evaluate(script: Path, expression: str) -> object:
    """What node makes of an expression over `page`, the exports of a script."""
    code = f"import * as page from {json.dumps(script.as_uri())};"
    return json.loads(
        run_node("--input-type=module", "-e", f"{code} console.log(JSON.stringify({expression}))")
    )


def test_the_bundle_does_what_its_modules_do(tmp_path: Path) -> None:
    """Each is evaluated once, a failing one fails alone, and addresses are those of its own."""
    (tmp_path / "start.js").write_text(bundled("start.js").script)
    call = "await Promise.all(['points', 'broken'].map((name) => page.run(name).catch(String)))"
    assert evaluate(tmp_path / "start.js", f"[{call}, page.untouched]") == [
        [[5, [1, 2], 7, ["core/worker.js", 1], "lost"], "Error: this layer is broken"],
        'import { a } from "./b.js";',
    ]


@pytest.mark.parametrize("start", ENTRIES)
def test_the_source_map_leads_to_each_line_of_each_module(start: str, tmp_path: Path) -> None:
    made = bundle(start, module_names(), web_file)
    (tmp_path / "script.js").write_text(made.script)
    (tmp_path / "map.json").write_text(made.source_map)
    code = f"""
        const {{ SourceMap }} = require("node:module"), {{ readFileSync }} = require("node:fs");
        const read = (name) => readFileSync({json.dumps(str(tmp_path))} + "/" + name, "utf8");
        const map = new SourceMap(JSON.parse(read("map.json")));
        const found = [];
        for (const [i, text] of read("script.js").split("\\n").entries()) {{
          const entry = map.findEntry(i, 0);
          if (entry.generatedLine === i)
            found.push([entry.originalSource, entry.originalLine, text]);
        }}
        console.log(JSON.stringify(found));"""
    shown: dict[str, list[str]] = {}
    for source, line, text in json.loads(run_node("-e", code)):
        assert line == len(shown.setdefault(source, []))
        shown[source].append(text)
    folder = Path(start).parent
    for source, lines in shown.items():
        name = Path("/", folder, source).resolve().relative_to("/").as_posix()
        original = web_file(name).splitlines()
        assert len(lines) == len(original)
        for text, written in zip(original, lines, strict=True):
            same = text.removeprefix("export ") == written
            assert same or not written or "import" in text or "} from" in text


def code_of(text: str) -> list[str]:
    """The tokens of a script but for comments and the spaces between them."""
    found = JavascriptLexer().get_tokens(text)
    return [token for kind, token in found if kind not in Comment and token.strip()]


def test_a_bundle_leaves_out_comments_and_nothing_else() -> None:
    texts = [web_file(name) for name in module_names()]
    stripped = [without_comments(text) for text in texts]
    assert [code_of(text) for text in stripped] == [code_of(text) for text in texts]
    assert sum(map(len, stripped)) < 0.8 * sum(map(len, texts))


def test_all_modules_are_in_a_bundle() -> None:
    """All but those that declare nothing but types."""
    scripts = [bundle(start, module_names(), web_file).script for start in ENTRIES]
    for name in module_names():
        held = any(f"$functions[{json.dumps(name)}]" in script for script in scripts)
        assert held != web_file(name).endswith("export {};\n"), name


def test_only_what_is_imported_is_in_a_bundle() -> None:
    script = bundled("layers/points.js").script
    assert "core/here.js" in script
    assert "core/sums.js" not in script


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('import { a } from "./lost.js";', "needs the module lost.js, which is not in web/"),
        ("export default 1;", "has the line 'export default 1;'"),
        ('import * as all from "./start.js";', "write it as the other modules do"),
        ("export let a = 1;", "has the line"),
    ],
)
def test_what_cannot_be_bundled_is_said(line: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)other") as error:
        bundled("other.js", other=f"{line}\n")
    assert sentence in str(error.value)
