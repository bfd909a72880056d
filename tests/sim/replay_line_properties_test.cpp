// rapidcheck is an optional component: without it this file holds no tests.
#if __has_include(<rapidcheck.h>)

#include <mishap/sim/replay_line.hpp>

#include "sim/tape_samples.hpp"
#include "support/catch.hpp"

#include <rapidcheck.h>

using namespace mishap;

TEST_CASE("for all names, a line gives back the names it was made from") {
    CHECK(
        rc::check([](const std::string& scenario, const std::vector<std::string>& names, std::uint32_t step) {
            ReplayLine replay;
            replay.scenario = scenario;
            for (const std::string& name : names) {
                RC_PRE(!name.empty());
                MishapText text;
                text.mishap.kind = ChoiceKind::fault;
                text.who = "main/" + path_segment(name);
                text.mishap.who = {detail::named_key(detail::main_key, hash_text(name)), step};
                text.label = name;
                text.mishap.label = hash_text(name);
                replay.mishaps.push_back(text);
            }
            const ReplayLine again = parse_replay_line(to_line(replay));
            RC_ASSERT(again.scenario == scenario);
            RC_ASSERT(again.mishaps == replay.mishaps);
        }));
}

TEST_CASE("for all texts, reading one as a line gives a replay or a UsageError") {
    CHECK(rc::check([](const std::string& text) {
        const std::string error = samples::usage_error([&] { parse_replay_line("mishap1:" + text); });
        RC_ASSERT(!error.empty());
    }));
}

#endif
