// Prints the tables of docs/replay.md, and then which edits lost their failure or repaired it.

#include <cstdio>

#include <fmt/format.h>

#include "survival.hpp"

int main() {
    using namespace mishap::edits;
    const std::vector<Outcome> outcomes = measure();
    std::fputs(to_tables(outcomes).c_str(), stdout);
    std::string others;
    for (const Outcome& outcome : outcomes) {
        if (outcome.fate != Fate::replays) {
            others += fmt::format("{}: {}, {} ({})\n", outcome.fate == Fate::lost ? "lost" : "no bug left", outcome.fixture,
                                  to_text(outcome.edit.edited), outcome.edit.place);
        }
    }
    std::fputs(others.empty() ? "" : ("\n" + others).c_str(), stdout);
    return 0;
}
