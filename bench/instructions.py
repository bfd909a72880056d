#!/usr/bin/env python3
"""Counts mishap's instructions per operation with cachegrind and compares them with the baseline file.

    instructions.py --program bench_mishap --baseline instructions_baseline.txt --compiler "GNU 12.2.0" [--update]

The figure is the slope between two rounds and four, so that start, warm-up and end of the process cancel out; it is the
same on every run of one binary. The baseline holds for the compiler and C library that its first lines name: with others, or
without valgrind, the test is skipped (exit code 77) and says so. Exits with 1 when a figure is more than 5 % off, in
either direction: what became faster is to be pinned too.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys

SKIPPED = 77
TOLERANCE = 0.05
WORKLOADS = ("W1_2", "W1_100", "W2", "W2y", "W3_1", "W3_64", "W4", "W6", "W6L")


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def count(program, workload, rounds):
    """Returns (instructions, operations)."""
    result = subprocess.run(
        ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
         "--max-stackframe=400000000", program, "count", workload, str(rounds)],
        capture_output=True, text=True, check=False)
    found = re.search(r"I\s+refs:\s+([\d,]+)", result.stderr)
    if result.returncode != 0 or not found:
        sys.exit(f"{program} count {workload} failed under valgrind:\n{result.stderr[-2000:]}")
    return int(found.group(1).replace(",", "")), int(result.stdout)


def instructions_per_operation(program, workload):
    small, few = count(program, workload, 2)
    large, many = count(program, workload, 4)
    return (large - small) / (many - few)


def read_baseline(path):
    """Returns the settings (`name: value`) and the figures (`workload figure`)."""
    settings, figures = {}, {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            if ":" in line:
                name, value = line.split(":", 1)
                settings[name.strip()] = value.strip()
            elif line:
                workload, value = line.split()
                figures[workload] = float(value)
    return settings, figures


def write_baseline(path, settings, figures):
    with open(path, "w", encoding="utf-8") as file:
        file.write("# Instructions per operation, written by `instructions.py --update`; see README.md.\n")
        file.writelines(f"{name}: {value}\n" for name, value in settings.items())
        file.writelines(f"{workload} {figure:.1f}\n" for workload, figure in figures.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--baseline", required=True)
    parser.add_argument("--compiler", required=True, help="name and version, as CMake knows them")
    parser.add_argument("--update", action="store_true", help="write what is measured into the baseline file")
    arguments = parser.parse_args()

    if shutil.which("valgrind") is None:
        skip("valgrind is not installed")
    here = {"compiler": arguments.compiler, "c library": os.confstr("CS_GNU_LIBC_VERSION") or "unknown",
            "processor": platform.machine()}
    if arguments.update:
        figures = {workload: instructions_per_operation(arguments.program, workload) for workload in WORKLOADS}
        write_baseline(arguments.baseline, here, figures)
        return 0

    settings, figures = read_baseline(arguments.baseline)
    for name, value in here.items():
        if settings.get(name) != value:
            skip(f"the baseline is for {name} {settings.get(name)}, this is {value}")
    is_good = True
    for workload, pinned in figures.items():
        measured = instructions_per_operation(arguments.program, workload)
        deviation = measured / pinned - 1
        holds = abs(deviation) <= TOLERANCE
        is_good = is_good and holds
        print(f"{workload:8} {measured:9.1f} pinned {pinned:9.1f} {deviation:+7.1%} {'good' if holds else 'OFF'}")
    if not is_good:
        print("Find out why; if it is meant, run again with --update and say why in the commit.")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
