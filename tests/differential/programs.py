"""Runs the programs of this folder in asyncio and prints, writes or checks their logs.

    python3.13 programs.py [program ...]           prints the logs
    python3.13 programs.py --write golden          writes them to a folder
    python3.13 programs.py --check golden          compares them with a folder; exits with 1 when they differ
"""

import argparse
import difflib
import importlib
import pathlib
import sys

from program import run_program

PARTS = ("tasks", "loop", "locks", "queues", "conditions", "gather", "timeouts", "groups", "contexts", "waits", "storms")


def programs():
    """Returns all programs by name. A name `a/b` is section `b` of the log `a`."""
    found = {}
    for part in PARTS:
        for function in importlib.import_module(f"programs_{part}").PROGRAMS:
            found[getattr(function, "program_name", function.__name__)] = function
    return found


def logs(wanted):
    """Returns the text of every log by file name."""
    texts = {}
    for name, function in programs().items():
        if wanted and name not in wanted:
            continue
        file, _, section = name.partition("/")
        lines = ([f"== {section}"] if section else []) + run_program(function)
        texts[file] = texts.get(file, "") + "".join(f"{line}\n" for line in lines)
    return texts


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("programs", nargs="*")
    arguments.add_argument("--write", type=pathlib.Path, metavar="FOLDER")
    arguments.add_argument("--check", type=pathlib.Path, metavar="FOLDER")
    options = arguments.parse_args()
    differs = False
    for name, text in logs(options.programs).items():
        if options.write:
            (options.write / f"{name}.txt").write_text(text)
        elif options.check:
            golden = (options.check / f"{name}.txt").read_text()
            difference = difflib.unified_diff(
                golden.splitlines(True), text.splitlines(True), f"golden/{name}.txt", "this interpreter")
            sys.stdout.writelines(difference)
            differs = differs or golden != text
        else:
            print(f"-- {name}\n{text}", end="")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
