"""Write the README's figures from the reports of the benchmarks, between its two marks.

python -m benchmarks.figures
"""

import json
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
MARKS = "<!-- figures: python -m benchmarks.figures -->\n", "<!-- end of figures -->\n"


def read(name: str) -> dict:
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def quality() -> str:
    report = read("quality")
    seeds, summary = report["seeds"], report["summary"]
    rows = (
        ("objective", "-(recon + 4 KL)", 2),
        ("elbo", "ELBO (beta = 1)", 2),
        ("recon", "reconstruction", 2),
        ("kl", "KL", 3),
        ("knn", "15 nearest neighbours on z, accuracy", 3),
    )
    lines = [
        f"**Quality** on the 10,000 test digits, nats per image, {len(seeds)} seeds, none of which "
        "diverged (`python -m benchmarks.quality`):",
        "",
        "| | mean ± sd | least | most |",
        "|---|---|---|---|",
    ]
    for key, name, places in rows:
        mean, sd = summary[key]["mean"], summary[key]["sd"]
        values = [figures[key] for figures in seeds.values()]
        lines.append(
            f"| {name} | {mean:.{places}f} ± {sd:.{places}f} | {min(values):.{places}f} "
            f"| {max(values):.{places}f} |"
        )
    return "\n".join(lines)


def training() -> str:
    report = read("training_speed")
    return (
        "**Training speed**, in alternation with the plain version, medians of "
        f"{report['rounds']} rounds on {report['cores']} cores "
        "(`python -m benchmarks.training_speed`): "
        f"{report['trainer']:,.0f} images a second against {report['plain']:,.0f}, "
        f"{report['ratio']:.1f} times as many (least {report['least']:.1f}, most "
        f"{report['most']:.1f}). The run that made the committed checkpoint is timed in "
        "[its card](pretrained/README.md)."
    )


def page() -> str:
    lines = [
        "**The page**, in a real Chromium beside the server on 2 cores "
        "(`python -m benchmarks.page_speed`):",
        "",
        "| | |",
        "|---|---|",
    ]
    for name, value in read("page_speed").items():
        if isinstance(value, dict):
            value = f"p50 {value['p50']}, p95 {value['p95']} (n = {value['n']})"
        elif isinstance(value, int):
            value = f"{value:,}"
        lines.append(f"| {name} | {value} |")
    return "\n".join(lines)


def section() -> str:
    """The text between the marks."""
    return "\n\n".join([quality(), training(), page()]) + "\n"


def main() -> None:
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    README.write_text(before + MARKS[0] + section() + MARKS[1] + after, encoding="utf-8")


if __name__ == "__main__":
    main()
