#!/usr/bin/env python3
"""Runs mishap, the floor and the peers by turns and prints one table with the bars that mishap has to clear.

    compare.py --programs build/release/bench [--rounds 5] [--repetitions 3] [--workloads W1_2,W6] [--memory 1000000]

Every figure is the median CPU time of one operation in nanoseconds, of `rounds` processes with `repetitions`
measurements each after a warm-up. The processes take turns on one core, so that whatever else happens on the machine
happens to all of them; hold the ratios, not the nanoseconds. Exits with 1 when a bar is missed.
"""

import argparse
import os
import statistics
import subprocess
import sys

PROGRAMS = {"floor": "bench_floor", "mishap": "bench_mishap", "fiber": "bench_peer_fiber",
            "pooled": "bench_peer_fiber_pooled", "asio": "bench_peer_asio"}
PEERS = ("fiber", "pooled", "asio")

# By workload: at most so many times the floor, and whether mishap has to be ahead of the peers.
BARS = {"W1_2": (2.0, True), "W1_100": (2.0, False), "W1_10000": (2.0, False), "W2": (2.0, True), "W2y": (None, False),
        "W3_1": (2.0, True), "W3_64": (2.0, True), "W4": (2.0, True), "W5_timers": (None, False),
        "W5_cancel": (None, False), "W5_sleepers": (None, False), "W6": (1.65, True), "W6L": (None, False)}
RESIDENT_BYTES_MAX = 4.4 * 1024


def pin_to_last_core():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def output_of(program, *arguments):
    result = subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True, check=True,
                            preexec_fn=pin_to_last_core)
    return result.stdout.split()


def measure(programs, workloads, rounds, repetitions):
    """Returns the times of each (workload, program) that exists."""
    known = {name: set(output_of(path, "list")) for name, path in programs.items()}
    times = {}
    for _ in range(rounds):
        for workload in workloads:
            for name, path in programs.items():
                if workload in known[name]:
                    figures = output_of(path, "time", workload, str(repetitions))
                    times.setdefault((workload, name), []).extend(map(float, figures))
    return {key: statistics.median(figures) for key, figures in times.items()}


def verdict_on(workload, times):
    """Returns the ratio to the floor, or None, and the list of what is missed."""
    limit, must_lead = BARS[workload]
    mine = times[workload, "mishap"]
    missed = []
    ratio = None
    if (workload, "floor") in times:
        ratio = mine / times[workload, "floor"]
        if limit is not None and ratio > limit:
            missed.append(f"over {limit}x")
    if must_lead:
        missed += [f"behind {peer}" for peer in PEERS if times.get((workload, peer), mine) < mine]
    return ratio, missed


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) if i in (0, len(row) - 1) else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def figure(value, form="{:.1f}"):
    return "-" if value is None else form.format(value)


def compare_times(programs, workloads, arguments):
    times = measure(programs, workloads, arguments.rounds, arguments.repetitions)
    rows = [("workload", "floor ns", "mishap ns", "ratio", "bar", "Boost.Fiber ns", "pooled ns", "Asio ns", "verdict")]
    is_good = True
    for workload in workloads:
        ratio, missed = verdict_on(workload, times)
        is_good = is_good and not missed
        limit, must_lead = BARS[workload]
        bar = figure(limit, "<= {}x")
        rows.append((workload, figure(times.get((workload, "floor"))), figure(times[workload, "mishap"]),
                     figure(ratio, "{:.2f}"), bar + (", leads" if must_lead else ""),
                     *(figure(times.get((workload, peer))) for peer in PEERS),
                     ", ".join(missed) or ("good" if limit is not None else "no bar")))
    print_table(rows)
    return is_good


def compare_memory(programs, tasks):
    rows = [("W7", "tasks", "resident bytes", "page-table bytes", "verdict")]
    is_good = True
    for name, path in programs.items():
        resident, tables = output_of(path, "memory", str(tasks))
        verdict = ""
        if name == "mishap":
            holds = float(resident) <= RESIDENT_BYTES_MAX
            is_good = is_good and holds
            verdict = f"{'good' if holds else 'missed'}: the bar is {RESIDENT_BYTES_MAX:.0f}"
        rows.append((name, str(tasks), resident, tables, verdict))
    print()
    print_table(rows)
    return is_good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="the folder with the benchmark programs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--workloads", help="only these, separated by commas")
    parser.add_argument("--memory", type=int, default=0, help="also suspend so many tasks (a million takes 6 GB)")
    arguments = parser.parse_args()

    programs = {}
    for name, program in PROGRAMS.items():
        path = os.path.join(arguments.programs, program)
        if os.path.exists(path):
            programs[name] = path
        elif name in ("floor", "mishap"):
            sys.exit(f"{path} is missing; build the release preset first")
    workloads = arguments.workloads.split(",") if arguments.workloads else list(BARS)
    unknown = [workload for workload in workloads if workload not in BARS]
    if unknown:
        sys.exit(f"no such workload: {', '.join(unknown)}; there are {', '.join(BARS)}")

    is_good = compare_times(programs, workloads, arguments)
    if arguments.memory:
        is_good = compare_memory(programs, arguments.memory) and is_good
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
