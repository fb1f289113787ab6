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


def load() -> str:
    report = read("load")
    memory = report["memory"]
    lines = [
        f"**Load**: {report['people']} people dragging, drawing and comparing for "
        f"{report['seconds']} seconds, they and one server on {report['cores']} cores "
        f"(`python -m benchmarks.load`): {report['answers']:,} answers, "
        f"{report['answers_a_second']:.0f} a second, {report['failures']} failures. Memory "
        f"{memory['at_quarter_mb']:,.0f} MB after a quarter of the time and "
        f"{memory['at_end_mb']:,.0f} MB at the end, {memory['most_mb']:,.0f} MB at most.",
        "",
        "| | answers | failures | p50, ms | p95, ms | p99, ms |",
        "|---|---|---|---|---|---|",
    ]
    for name, f in report["actions"].items():
        lines.append(
            f"| {name} | {f['count']:,} | {f['failures']} | {f['p50']:.0f} | {f['p95']:.0f} "
            f"| {f['p99']:.0f} |"
        )
    return "\n".join(lines)


def paths() -> str:
    report = read("paths")
    found = report["summary"]
    names = {
        "linear": "straight",
        "spherical": "around the centre",
        "geodesic": "least change (geodesic)",
        "data": "least change among digits",
    }
    lines = [
        f"**Ways** between the typical places of all 45 pairs of digits, {report['pictures']} "
        "pictures each (`python -m benchmarks.paths`). Change is the length in picture space, "
        "support the fewest test digits encoded within 0.1 of a place on the way:",
        "",
        "| way | change, mean | to straight: mean, least, most | largest step, mean "
        "| the same with even steps | support, mean | time, ms: p50, most |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, name in names.items():
        f = found[way]
        lines.append(
            f"| {name} | {f['length']:.1f} | {f['ratio']:.2f}, {f['least_ratio']:.2f}, "
            f"{f['greatest_ratio']:.2f} | {f['largest_step']:.2f} | {f['largest_even_step']:.2f} "
            f"| {f['support']:.1f} | {f['ms_p50']:.0f}, {f['ms_most']:.0f} |"
        )
    around, least, data = found["spherical"], found["geodesic"], found["data"]
    even = found["linear"]["even_to_straight"]
    lines += [
        "",
        f"- The geodesic changes the picture less than the straight line (by more than 1 %) for "
        f"{least['shorter']} of 45 pairs, by more than a tenth for {least['below_0.9']}; it is "
        f"never longer.",
        f"- The spherical way is longer than the straight one by more than a tenth for "
        f"{around['above_1.1']} pairs and shorter by more than a tenth for {around['below_0.9']}; "
        f"its largest step is smaller for {around['largest_step_smaller']}.",
        f"- Even steps alone bring the largest step of the straight line to {even:.2f} of its "
        "size.",
        f"- The geodesic passes less well known places than the straight line for "
        f"{least['less_support']} pairs, the way among digits for {data['less_support']}. "
        f"{least['touches_nothing']} and {data['touches_nothing']} of them touch a place where no "
        f"test digit was encoded within 0.1; |z| reaches {least['radius']:.2f}, and "
        f"{found['linear']['radius']:.2f} on the straight lines.",
    ]
    return "\n".join(lines)


def prior() -> str:
    report = read("prior")
    lines = [
        f"**What beta is for**: {report['draws']:,} draws from the prior in the two committed "
        "models and in one trained without warm-up (`python -m benchmarks.prior`). The latter "
        "pays in nats, but its space looks the same; a small beta shows what the prior is for:",
        "",
        "| model | ELBO | KL | 95 % of the digits within | draws within 0.1 of a digit "
        "| median round trip | commonest digit among the draws |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {f['label']} | {f['elbo']:.1f} | {f['kl']:.2f} | {f['radius_95']:.1f}σ "
        f"| {100 * f['draws_near_digits']:.0f} % | {f['round_trip_median']:.2f} "
        f"| {100 * f['commonest_digit']:.0f} % |"
        for f in report["models"]
    ]
    return "\n".join(lines)


def section() -> str:
    """The text between the marks."""
    return "\n\n".join([quality(), training(), prior(), paths(), page(), load()]) + "\n"


def main() -> None:
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    README.write_text(before + MARKS[0] + section() + MARKS[1] + after, encoding="utf-8")


if __name__ == "__main__":
    main()
