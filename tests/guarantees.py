"""The guarantees of the program; markers on tests name the guarantee that each test checks.

python -m tests.guarantees    # writes docs/guarantees.md
"""

import ast
from pathlib import Path

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "docs" / "guarantees.md"

# id -> (section, sentence). `@pytest.mark.guarantee(id)` marks each test that checks one.
GUARANTEES = {
    "positions-validated": (
        "Untrusted input",
        "A position is two finite numbers on the map, or one per dimension. NaN, infinity, "
        "`true`, `null`, text, "
        "lists, 1e30 and missing values are rejected with a sentence that names the value and "
        "the remedy.",
    ),
    "arguments-validated": (
        "Untrusted input",
        "Step counts out of range and unknown digits, methods, anchors, attributes and seeds "
        "are rejected by name.",
    ),
    "equal-ends": (
        "Untrusted input",
        "A path between identical endpoints is constant.",
    ),
    "events-accept-any-json": (
        "Untrusted input",
        "Every event of the page, public or not, handles any JSON (`{}`, text, huge arrays, "
        "400 digits, 5,000 brackets) without a server error, a traceback, or a local path in "
        "the answer or the log.",
    ),
    "server-functions-accept-any-json": (
        "Untrusted input",
        "Every server function of every component handles any JSON in the same way.",
    ),
    "internal-errors-hidden": (
        "Untrusted input",
        "An internal error is logged with its location; the client gets a sentence without "
        "details.",
    ),
    "openapi-fuzzing": (
        "Untrusted input",
        "Requests generated from the OpenAPI description cause no server error.",
    ),
    "methods-answer-any-json": (
        "Untrusted input",
        "Every public function answers with JSON or with a sentence, for any JSON arguments.",
    ),
    "functions-hold-for-any-input": (
        "Untrusted input",
        "The functions underneath (values, wording, packing, schedules, loss, attributes, "
        "graph, geodesics, torchrun's variables) and the request limits hold "
        "for any input.",
    ),
    "images-read-or-explained": (
        "Untrusted input",
        "Blank, 1 x 1, 4000 x 3, palette, 16-bit, transparent and truncated images, random "
        "bytes, SVG and text named .png are read, or rejected with an explanation.",
    ),
    "oversized-input-rejected-early": (
        "Untrusted input",
        "A 10 KB file that would decode to 81 million pixels is rejected by its header; a "
        "file over 5 MB before it is decoded, a request over 8 MB before it is received.",
    ),
    "no-local-files": (
        "Untrusted input",
        "No client can make the server read a local file or fetch an address; only Gradio's "
        "own files are served.",
    ),
    "unused-routes-blocked": (
        "Untrusted input",
        "Gradio's routes that the page does not need and that write files or log lines, run "
        "programs or fetch addresses are blocked (404), and usage statistics are not "
        "exposed to clients.",
    ),
    "malformed-requests-rejected": (
        "Untrusted input",
        "Requests that are not JSON or carry an overlong session name are rejected, and "
        "made-up session names cannot fill the memory.",
    ),
    "slow-uploads-time-out": (
        "Untrusted input",
        "Slow or endless uploads time out and never block other clients.",
    ),
    "uploads-never-kept": (
        "Untrusted input",
        "No uploaded file is kept, whatever its name.",
    ),
    "broken-checkpoints-refused": (
        "Files",
        "A checkpoint that is missing, empty, truncated, foreign, hostile, of a newer version "
        "or changed by one byte is refused in one line, and no code in it ever runs.",
    ),
    "checkpoint-contents-validated": (
        "Files",
        "Contents that would fail later (missing or non-numeric figures, positions off any "
        "map) are named when the file is read.",
    ),
    "archive-bombs-refused": (
        "Files",
        "A file that would unpack to gigabytes is not unpacked.",
    ),
    "foreign-weights-explained": (
        "Files",
        "Weights of a compiled or wrapped model, of another precision or with NaN are "
        "explained; a file written on a GPU loads on a CPU.",
    ),
    "writes-are-atomic": (
        "Files",
        "A file is written completely or not at all: on a full disk, Ctrl-C, kill -9, or two "
        "runs at once.",
    ),
    "saved-files-load": (
        "Files",
        "Whatever is saved can be loaded, at the limits of every option; what could not be "
        "loaded is found before training.",
    ),
    "folders-recognised": (
        "Files",
        "Folders of images in every usual form are recognised; the message says what was found, "
        "what is not used, and what was expected.",
    ),
    "downloads-end": (
        "Files",
        "A download from a server that closes, stalls, refuses or answers something else ends in "
        "time, tries the mirrors, and fails with one sentence that says which file to put where.",
    ),
    "other-polarities": (
        "Files",
        "A user's image is prepared as the training images were: polarity, size and position are "
        "learnt from them and kept in the checkpoint.",
    ),
    "datasets-checked": (
        "Files",
        "Data that is truncated, zeroed, of the wrong kind, labelled 255 or unavailable "
        "offline is rejected with a message that says what is wrong.",
    ),
    "options-validated": (
        "Command line",
        "Each option of both programs that is out of range is reported in one line.",
    ),
    "demo-folder-checked": (
        "Command line",
        "A folder for temporary files that cannot be written is reported in one line at the "
        "start; a disk that fills up later stops only what needs a file.",
    ),
    "output-checked-before-training": (
        "Command line",
        "An output that cannot be written, or is a folder, a device, a pipe or a socket, is found "
        "before training; a symbolic link is kept and its target is written.",
    ),
    "runs-kept-apart": (
        "Command line",
        "Two runs share no file, whatever the names of their outputs.",
    ),
    "unfinished-runs-kept": (
        "Command line",
        "A run never replaces an unfinished one, or a file that is not a checkpoint, unless it is "
        "told to; a finished checkpoint stays until the next is complete.",
    ),
    "one-run-per-output": (
        "Command line",
        "A second run with the same output is refused while the first is still running, and "
        "only then.",
    ),
    "resume-compares-data": (
        "Command line",
        "`--resume` on different data is refused in one sentence that says what differs.",
    ),
    "messages-never-decide": (
        "Command line",
        "A message that cannot be printed (missing characters, a closed pipe, a full disk) never "
        "changes the exit status.",
    ),
    "interrupts-keep-the-run": (
        "Command line",
        "Ctrl-C and SIGTERM keep the last epoch, a second signal changes nothing, and `--resume` "
        "gives the same result, bit for bit, as an uninterrupted run.",
    ),
    "any-working-directory": (
        "Command line",
        "Both programs run from any working directory; a port in use is reported in one line.",
    ),
    "imports-have-no-effects": (
        "Command line",
        "Importing a module has no side effects.",
    ),
    "load": (
        "Load",
        "1,000 users on one server with one core: no errors, flat memory use, times in "
        "docs/benchmarks.md.",
    ),
    "overload-answered-politely": (
        "Load",
        "Beyond the limits a client gets a 503 with Retry-After; the others continue.",
    ),
    "request-limits": (
        "Load",
        "A request that is too large, or that nothing accepts, gets its answer, not a reset "
        "connection.",
    ),
    "cache-cleaned": (
        "Load",
        "Files in Gradio's cache are removed.",
    ),
    "sigterm-drains": (
        "Load",
        "On SIGTERM the server finishes the requests that it has accepted and exits with status "
        "0; a second Ctrl-C does not wait.",
    ),
    "health": (
        "Load",
        "`/health` reports the state of the server.",
    ),
    "clients-isolated": (
        "Load",
        "Users are isolated from each other; late answers are never painted; a server that "
        "fails is reported, and the page recovers.",
    ),
    "models-listed": (
        "Models and training from the page",
        "Every model of the menu opens without a restart or a reload; a broken file is listed with "
        "its reason, and a link to a model or a comparison that is not there says so.",
    ),
    "models-kept-apart": (
        "Models and training from the page",
        "Each user has the model of their choice, in the page and in the API; what is answered "
        "for one model, or for a file before it was replaced, is never shown for another.",
    ),
    "models-in-memory": (
        "Models and training from the page",
        "A model is loaded once, however many ask for it, and those used least recently are "
        "dropped at the memory limit.",
    ),
    "training-access": (
        "Models and training from the page",
        "Only the page itself starts runs: no other site, not the API, not the tool server; from "
        "other machines only with `--allow-training`, where users stop only runs of their own.",
    ),
    "training-isolated": (
        "Models and training from the page",
        "One run at a time, in a low-priority process that leaves a core to the server and ends "
        "with it, even on kill -9; the server's answers stay under 100 ms (p95).",
    ),
    "training-watched": (
        "Models and training from the page",
        "A run is watched snapshot by snapshot, stopped, resumed, explored and compared, in two "
        "or in ten dimensions, while other users go on.",
    ),
    "training-failures": (
        "Models and training from the page",
        "A run that fails (full disk, interrupted download, NaN, no memory, no start) says why in "
        "one sentence and loses neither its log nor a complete epoch.",
    ),
    "distributed-training": (
        "Scaling out",
        "Two or three processes train the same model as one, with one log and one set of files.",
    ),
    "distributed-failures": (
        "Scaling out",
        "A process that dies, or a loss that is not finite, ends the run with a message and "
        "keeps the last checkpoint.",
    ),
    "replicas": (
        "Scaling out",
        "Two replicas behind nginx, one killed during a drag: nothing is lost.",
    ),
    "hugging-face-space": (
        "Scaling out",
        "A Hugging Face Space needs no option.",
    ),
    "other-datasets": (
        "Scaling out",
        "Other data sets of 2 to 10 classes work, by their class names.",
    ),
    "names-shown-literally": (
        "Scaling out",
        "Class and folder names are shown literally, never interpreted as HTML or Markdown.",
    ),
    "tool-server": (
        "Scaling out",
        "With `--mcp` the demo is also a tool server (Model Context Protocol).",
    ),
    "model-and-loss": (
        "Model and mathematics",
        "The architecture, its size and its loss are as documented.",
    ),
    "schedule-and-seed": (
        "Model and mathematics",
        "beta rises from 0 to 4 over 10 epochs; the same seed gives the same weights.",
    ),
    "committed-model": (
        "Model and mathematics",
        "The committed model meets its figures, and the documentation states those of the reports.",
    ),
    "interpolation-and-neighbours": (
        "Model and mathematics",
        "Interpolations, anchors and neighbours agree with brute force.",
    ),
    "geodesics": (
        "Model and mathematics",
        "Geodesics agree with closed forms and are never longer than straight lines.",
    ),
    "gradients-and-nudges": (
        "Model and mathematics",
        "Gradients are exact; nudges are monotone.",
    ),
    "preprocessing": (
        "Model and mathematics",
        "A drawn digit is preprocessed exactly like MNIST and read correctly.",
    ),
    "photographs": (
        "Model and mathematics",
        "A photographed digit is read correctly despite tables, frames, shadows, ruled lines, "
        "fingers and parts of neighbouring digits; a crop can be given instead.",
    ),
    "replay-and-lessons": (
        "Model and mathematics",
        "The replay is the recorded training; every lesson can be solved, and its explanation "
        "holds, for this model.",
    ),
    "startup-faults-described": (
        "The page",
        "A page that cannot start, for example in a sandboxed frame, says why.",
    ),
    "crop-is-shown": (
        "The page",
        "A frame shows which part of an uploaded image is encoded, and the user can change it.",
    ),
    "drops-are-answered": (
        "The page",
        "A dropped file never makes the browser leave the page; an image dropped while Draw is "
        "open is opened, or a message says why not.",
    ),
    "screen-sizes": (
        "The page",
        "The first screen holds the whole instrument at 1440 x 900, and map, digit and "
        "controls in order at 390 x 844.",
    ),
    "large-photos-scaled-down": (
        "The page",
        "A photograph of 48 megapixels or 20 MB is scaled down in the browser before it is sent.",
    ),
    "drag-paints-at-once": (
        "The page",
        "A drag paints at once: the browser decodes every image itself. PyTorch's image, which "
        "differs by at most 1 of 255, follows.",
    ),
    "accessibility": (
        "The page",
        "Keyboard, touch, dark mode, reduced motion and colour-blind users are supported.",
    ),
    "no-other-host": (
        "The page",
        "The page contacts no other host.",
    ),
    "links-restore-the-view": (
        "The page",
        "A link opens exactly what its sender saw.",
    ),
    "tabs-work": (
        "The page",
        "Drawing, paths, directions, training replay and lessons work as described.",
    ),
    "skipped-browser-tests-fail": (
        "The tests",
        "A browser test that skips itself counts as a failure; only a declared `skipif` may skip "
        "one.",
    ),
    "guarantees-have-tests": (
        "The tests",
        "Each guarantee is checked by at least one test.",
    ),
}


def marked_tests() -> list[tuple[str, str]]:
    """(guarantee, "folder/file.py::test") for each marker in the tests, in their order."""
    found = []
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{path.relative_to(TESTS).as_posix()}::{node.name}"
                found += [
                    (guarantee, name)
                    for guarantee in map(_guarantee, node.decorator_list)
                    if guarantee
                ]
    return found


def _guarantee(decorator: ast.expr) -> str | None:
    """The name in `@pytest.mark.guarantee(name)`; None for any other decorator."""
    match decorator:
        case ast.Call(func=ast.Attribute(attr="guarantee"), args=[ast.Constant(value=str(name))]):
            return name
    return None


def document() -> str:
    """docs/guarantees.md: each guarantee with the tests that check it.

    Raises:
        ValueError: if a marker names no guarantee of GUARANTEES.
    """
    tests: dict[str, list[str]] = {name: [] for name in GUARANTEES}
    for guarantee, test in marked_tests():
        if guarantee not in tests:
            raise ValueError(f"{test} names {guarantee!r}; add it to GUARANTEES")
        tests[guarantee].append(test)
    lines = [
        "# Guarantees",
        "",
        "What the program guarantees, and the tests that check it. Generated by",
        "`python -m tests.guarantees` from the markers in `tests/`; do not edit.",
    ]
    section = None
    for name, (part, sentence) in GUARANTEES.items():
        if part != section:
            lines += ["", f"## {part}"]
            section = part
        lines += ["", sentence, *(f"- `{test}`" for test in tests[name])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
