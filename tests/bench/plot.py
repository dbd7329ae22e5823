#!/usr/bin/python3
"""Draws broker.json of `lianxi-bench broker` as broker.svg and broker.png beside it."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)

OURS, SYNCED, UNSYNCED = "#b3261e", "#2f5d8a", "#9aa7b4"


def colour(peer):
    if peer["name"].startswith("lianxi"):
        return OURS
    return SYNCED if peer["synced_before_answer"] else UNSYNCED


def bars(axes, title, rows, unit):
    """rows: (title, colour, {median, min, max}), the best on top."""
    axes.set_title(title, loc="left", fontsize=11)
    for at, (_, shade, spread) in enumerate(reversed(rows)):
        axes.barh(at, spread["median"], color=shade, height=0.7)
        axes.plot([spread["min"], spread["max"]], [at, at], color="black", linewidth=1)
        axes.text(max(spread["median"], spread["max"]), at, f" {spread['median']:,.0f}", va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), [row[0] for row in reversed(rows)], fontsize=9)
    axes.set_xlabel(unit, fontsize=9)
    if unit == "µs":  # one slow round must not flatten the others
        axes.set_xscale("log")
    axes.margins(x=0.16)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def rates(peers, row, key):
    found = [(p["title"], colour(p), p["rows"][row][key]) for p in peers if row in p.get("rows", {})]
    return sorted(found, key=lambda entry: -entry[2]["median"])


def latencies(result, quantile):
    rows = [(p["title"], colour(p), p["rows"]["paced"][quantile]) for p in result["peers"] if "paced" in p.get("rows", {})]
    rows.sort(key=lambda entry: entry[2]["median"])
    if result["fdatasync"]:
        rows.insert(0, ("fdatasync of 4 KiB", "#444444", result["fdatasync"][quantile]))
    return rows


def main():
    path = pathlib.Path(sys.argv[1])
    result = json.loads(path.read_text(encoding="utf-8"))
    peers = result["peers"]
    panels = [
        ("acknowledged events/s, 256 B", rates(peers, "durable_256", "acked_per_second"), "events/s"),
        ("acknowledged events/s, 1 KiB", rates(peers, "durable_1k", "acked_per_second"), "events/s"),
        (f"publish to receipt at {result['paced_per_second']:,.0f}/s, p50", latencies(result, "p50_us"), "µs"),
        (f"publish to receipt at {result['paced_per_second']:,.0f}/s, p99", latencies(result, "p99_us"), "µs"),
        ("delivered to 16 followers that read every event", rates(peers, "fanout16", "delivered_per_second"), "events/s"),
    ]
    panels = [panel for panel in panels if panel[1]]
    if not panels:
        return "nothing was measured that could be drawn"
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(9, 0.9 * len(panels) + 0.36 * sum(len(panel[1]) for panel in panels)),
        height_ratios=[len(panel[1]) + 1.6 for panel in panels], squeeze=False)
    for panel, at in zip(panels, axes[:, 0]):
        bars(at, *panel)
    figure.text(0.01, 0.002,
                f"red: lianxi; blue: syncs before it answers; grey: does not. Medians of {result['rounds']} interleaved rounds of "
                f"{result['seconds']:g} s, lines from least to most; {result['publishers']} publishers, {result['window']} in flight "
                f"each; {result['machine']['cores']} cores.", fontsize=7)
    figure.tight_layout(rect=(0, 0.012, 1, 1))
    for suffix in (".svg", ".png"):
        figure.savefig(path.with_suffix(suffix), dpi=130)
        print(path.with_suffix(suffix))
    return None


if __name__ == "__main__":
    sys.exit(main())
