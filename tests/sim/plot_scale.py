#!/usr/bin/python3
"""Draws the figures of `lianxi-sim --scale … --json FILE` as .svg and .png beside FILE."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)

FLASH, OTHERS, PLAIN = "#b3261e", "#2f5d8a", "#444444"


def line(axes, title, unit, sizes, curves):
    """curves: (label, colour, a function of one size)."""
    members = [size["members"] for size in sizes]
    axes.set_title(title, loc="left", fontsize=9.5)
    top = 0
    for above, (label, colour, of) in zip((True, False), curves):
        values = [of(size) for size in sizes]
        top = max(top, *values)
        axes.plot(members, values, marker="o", color=colour, label=label)
        for x, y in zip(members, values):
            axes.annotate(f"{y:,.3g}" if y < 1000 else f"{y:,.0f}", (x, y), textcoords="offset points", xytext=(0, 6 if above else -12),
                          ha="center", fontsize=7, color=colour)
    axes.set_ylim(0, top * 1.25)
    axes.set_xscale("log")
    axes.set_xticks(members, [str(n) for n in members])
    axes.minorticks_off()
    axes.set_ylabel(unit, fontsize=8)
    axes.tick_params(labelsize=8)
    if len(curves) > 1:
        axes.legend(fontsize=7, loc="lower right")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def main():
    path = pathlib.Path(sys.argv[1])
    result = json.loads(path.read_text(encoding="utf-8"))
    sizes = result["sizes"]
    figure, axes = plt.subplots(2, 3, figsize=(11, 6))
    line(axes[0][0], "event to the last member's disk, p99", "ms", sizes, [
        ("flash", FLASH, lambda s: s["ms_to_all_members"]["flash"]["p99"]),
        ("other lanes", OTHERS, lambda s: s["ms_to_all_members"]["others"]["p99"])])
    line(axes[0][1], f"all equal after a cut of {result['cut_s']} s into halves", "s", sizes, [
        ("", PLAIN, lambda s: s["ms_from_heal_to_all_equal"] / 1000)])
    line(axes[0][2], "a home sends for each event", "KB", sizes, [
        ("", PLAIN, lambda s: s["delivered_bytes_per_event_and_member"] * (s["members"] - 1) / 1000)])
    line(axes[1][0], "a member hears at rest", "KB/s", sizes, [
        ("", PLAIN, lambda s: s["idle_bytes_per_member_second"] / 1000)])
    line(axes[1][1], "connections at a member", "", sizes, [
        ("", PLAIN, lambda s: 2 * s["lanes_of_a_link"] * (s["members"] - 1))])
    line(axes[1][2], "CPU for each event and member", "µs", sizes, [
        ("", PLAIN, lambda s: s["cpu_us_per_event_and_member"])])
    for row in axes[:, :]:
        for one in row:
            one.set_xlabel("members", fontsize=8)
    low, high = result["one_way_ms"]
    figure.text(0.01, 0.005, f"Full mesh on virtual time, {low} to {high} ms one way, about {sizes[0]['events']} events of all members together. "
                "Bytes are messages, before zstd, CURVE and TCP; CPU is the simulator's.", fontsize=7)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    for suffix in (".svg", ".png"):
        figure.savefig(path.with_suffix(suffix), dpi=130)
        print(path.with_suffix(suffix))


if __name__ == "__main__":
    sys.exit(main())
