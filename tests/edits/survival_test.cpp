// A recorded failure outlives edits of the program that leave its bug in.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "support/catch.hpp"
#include "survival.hpp"

namespace mishap::edits {
namespace {

/// Measured once; the tests look at it from different sides.
const std::vector<Outcome>& outcomes() {
    static const std::vector<Outcome> measured = measure();
    return measured;
}

std::size_t count(Fate fate) {
    return static_cast<std::size_t>(std::count_if(outcomes().begin(), outcomes().end(),
                                                  [&](const Outcome& outcome) { return outcome.fate == fate; }));
}

}  // namespace

TEST_CASE("nine of ten recorded failures replay after an edit that leaves the bug in") {
    INFO(to_tables(outcomes()));
    const std::size_t replays = count(Fate::replays);
    const std::size_t all = replays + count(Fate::lost);
    CHECK(all_fixtures().size() >= 15);
    CHECK(all >= 150);
    CHECK(replays * 10 >= all * 9);
}

TEST_CASE("no kind of edit loses more than a quarter of the recorded failures") {
    for (const Operator edited : operators) {
        std::size_t replays = 0;
        std::size_t lost = 0;
        for (const Outcome& outcome : outcomes()) {
            if (outcome.edit.edited == edited) {
                replays += outcome.fate == Fate::replays ? 1U : 0U;
                lost += outcome.fate == Fate::lost ? 1U : 0U;
            }
        }
        INFO(to_text(edited));
        CHECK(replays > 0);
        CHECK(replays >= 3 * lost);
    }
}

TEST_CASE("few edits repair the bug that they were to leave in") { CHECK(count(Fate::no_bug) * 5 <= outcomes().size()); }

TEST_CASE("a log line changes nothing: every mishap fits where it was recorded") {
    for (const Outcome& outcome : outcomes()) {
        if (outcome.edit.edited == Operator::log_line) {
            INFO(outcome.fixture << ", " << outcome.edit.place);
            CHECK(outcome.as_recorded);
        }
    }
}

TEST_CASE("a replay without an edit is the recorded failure") {
    for (const Fixture& fixture : all_fixtures()) {
        INFO(fixture.name);
        const Outcome outcome = replay_edited(fixture, record(fixture), {});
        CHECK(outcome.fate == Fate::replays);
        CHECK(outcome.as_recorded);
    }
}

}  // namespace mishap::edits
