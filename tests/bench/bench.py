"""bench.py - runs every measurement, beside its baseline, and tells the medians.

usage: bench.py --programs FOLDER [--output FOLDER] [--runs N] [--quick] [--only TEXT], in the repository's root.

What is measured stands in measurements.py, one function for each row. Here is what they have in
common: the repetition, the medians, the table, the JSON and the plots.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import sys
import tempfile

import measurements
import plot


def machine():
    """What the figures hold for."""
    model = platform.processor() or platform.machine()
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": os.getloadavg()[0],
    }


def median_of(runs):
    """One dict of medians from dicts with the same keys."""
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def is_reached(figure, target, better):
    return figure >= target if better == "higher" else figure <= target


def target_of(result):
    bound = "at least" if result["better"] == "higher" else "at most"
    if result["target"] is not None:
        return f"{bound} {text_of(result['target'])}"
    if result.get("ratio_target") is not None:
        return f"{bound} {result['ratio_target']:.2f} of the baseline"
    return ""


def measure(row, bench, runs):
    samples = [row.measure(bench) for _ in range(runs)]
    if samples[0] is None:
        return None
    result = {"name": row.name, "unit": row.unit, "target": row.target, "better": row.better}
    result.update(median_of(samples))
    result["lowest"] = min(sample["figure"] for sample in samples)
    result["highest"] = max(sample["figure"] for sample in samples)
    result["runs"] = runs
    result["ratio_target"] = row.ratio_target
    if "baseline" in result:
        result["ratio"] = result["figure"] / result["baseline"]
        result["baseline_is"] = row.baseline
    if row.target is not None:
        result["reached"] = is_reached(result["figure"], row.target, row.better)
    elif row.ratio_target is not None:
        result["reached"] = is_reached(result["ratio"], row.ratio_target, row.better)
    return result


def text_of(value):
    if value is None:
        return ""
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def table(results):
    lines = [
        "| what | figure | target | baseline | figure / baseline |",
        "|---|---|---|---|---|",
    ]
    for result in results:
        baseline = ""
        if "baseline" in result:
            baseline = f"{text_of(result['baseline'])} ({result['baseline_is']})"
        ratio = f"{result['ratio']:.2f}" if "ratio" in result else ""
        lines.append(
            f"| {result['name']} | {text_of(result['figure'])} {result['unit']} | {target_of(result)} |"
            f" {baseline} | {ratio} |"
        )
    return "\n".join(lines)


def draw_growth(growth, bench, runs, output):
    """Measures every size; its figure is the median of the runs."""
    series = []
    for name, at in growth.series:
        points = []
        for size in growth.sizes(bench.quick):
            figures = [at(bench, size) for _ in range(runs)]
            points.append((size, statistics.median(figures)))
        series.append((name, points))
    plot.draw(output / f"{growth.file}.svg", growth.title, growth.x_label, growth.y_label, series)
    return {
        "file": f"{growth.file}.svg",
        "title": growth.title,
        "x": growth.x_label,
        "y": growth.y_label,
        "series": [{"name": name, "points": points} for name, points in series],
    }


def main():
    parser = argparse.ArgumentParser(description="measures poolproof")
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("build/bench"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", help="only rows with this in their name, and no plots")
    arguments = parser.parse_args()
    runs = 1 if arguments.quick else max(arguments.runs, 1)
    arguments.output.mkdir(parents=True, exist_ok=True)
    report = {"quick": arguments.quick, "machine": machine(), "results": [], "growth": []}
    with tempfile.TemporaryDirectory(prefix="poolproof-bench.") as work:
        bench = measurements.Bench(arguments.programs, pathlib.Path(work), arguments.quick)
        report["version"] = bench.version()
        rows = [row for row in measurements.ROWS if (arguments.only or "") in row.name]
        for row in rows:
            print(f"measuring: {row.name}", file=sys.stderr)
            result = measure(row, bench, runs)
            if result is not None:
                report["results"].append(result)
        for growth in [] if arguments.only else measurements.GROWTHS:
            print(f"measuring growth: {growth.title}", file=sys.stderr)
            report["growth"].append(draw_growth(growth, bench, min(runs, 3), arguments.output))
    target = arguments.output / "bench.json"
    target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    where = report["machine"]
    print(f"{report['version']} on {where['processor']}, {where['processors']} processors,")
    print(f"{where['system']}; medians of {runs} runs; load before: {where['load_before']:.2f}\n")
    print(table(report["results"]))
    print(f"\nIn {arguments.output}: bench.json" + ("" if arguments.only else " and the plots of growth"))


if __name__ == "__main__":
    main()
