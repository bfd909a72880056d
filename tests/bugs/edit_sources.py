#!/usr/bin/env python3
"""Writes edited copies of the corpus: OUT/swapped/<ID>.cpp and OUT/raised/<ID>.cpp, for programs that have such a place.

Usage: edit_sources.py SOURCES OUT

swapped: the first two tasks that are made one right after the other are made in the other order.
raised:  the first loop with a fixed number of rounds makes one more.
"""

import pathlib
import re
import sys

SPAWN = re.compile(r"\s*(?:const (?:auto|Task<void>) (\w+) =\s*)?(?:\w+\.push_back\()?create_task\(")
LOOP = re.compile(r"(for \((?:int|std::size_t) (\w+) = 0; \2 < )(\d+)(; \+\+\2\))")


def end_of(text, begin, stops):
    """Returns where the first of `stops` is that is in no bracket opened after `begin`."""
    depth = 0
    for i in range(begin, len(text)):
        if depth == 0 and text[i] in stops:
            return i
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if depth < 0:
            return i
    return len(text)


def with_swapped_statements(text):
    for found in re.finditer(r"\n(?=[ \t]+(?:const|create_task|\w+\.push_back))", text):
        begin = found.end()
        first = SPAWN.match(text, begin)
        if first is None:
            continue
        middle = end_of(text, begin, ";") + 1
        second = SPAWN.match(text, middle)
        if second is None:
            continue
        end = end_of(text, middle, ";") + 1
        one, other = text[begin:middle], text[middle:end].lstrip("\n")
        uses_first = first[1] is not None and re.search(rf"\b{first[1]}\b", other)
        if not uses_first and re.sub(r"\bconst \w+ \w+ =", "", one) != re.sub(r"\bconst \w+ \w+ =", "", other):
            return text[:begin] + other + "\n" + one + text[end:]
    return None


def with_swapped_arguments(text):
    for call in re.finditer(r"\bjoin\(", text):
        places = [call.end()]
        while text[places[-1] - 1] != ")" and places[-1] < len(text):
            places.append(end_of(text, places[-1], ",") + 1)
        arguments = [text[a:b - 1] for a, b in zip(places, places[1:])]
        for i in range(len(arguments) - 1):
            one, other = arguments[i].strip(), arguments[i + 1].strip()
            if one.startswith("create_task(") and other.startswith("create_task(") and one != other:
                arguments[i], arguments[i + 1] = other, one
                return text[:call.end()] + ",".join(arguments) + text[places[-1] - 1:]
    return None


def with_raised_bound(text):
    program = text.rfind("template <") if "template <" in text else 0
    found = LOOP.search(text, program)
    return None if found is None else text[:found.start()] + LOOP.sub(lambda m: f"{m[1]}{int(m[3]) + 1}{m[4]}", found[0]) + text[found.end():]


def main():
    sources, out = map(pathlib.Path, sys.argv[1:])
    for edit, edited in (("swapped", lambda text: with_swapped_statements(text) or with_swapped_arguments(text)),
                         ("raised", with_raised_bound)):
        (out / edit).mkdir(parents=True, exist_ok=True)
        for path in sorted(sources.glob("[A-Z]*-[0-9]*.cpp")):
            text = edited(path.read_text())
            if text is None:
                continue
            target = out / edit / path.name
            if not target.exists() or target.read_text() != text:
                target.write_text(text)


main()
