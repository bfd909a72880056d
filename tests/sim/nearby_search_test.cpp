// Runs that differ in a few answers from recorded mishaps, the nearest first.

#include <mishap/sim/detail/nearby_search.hpp>

#include <algorithm>
#include <set>
#include <vector>

#include "support/catch.hpp"
#include "toy_program.hpp"

namespace mishap::detail {
namespace {

using Answers = std::vector<std::uint32_t>;

/// A mishap of a question: `asker` got class `taken` in its step `step`.
Mishap answered(std::uint64_t asker, std::uint32_t step, std::uint32_t taken) {
    Mishap mishap;
    mishap.kind = ChoiceKind::value;
    mishap.who = {asker, step};
    mishap.taken = taken;
    return mishap;
}

/// A mishap of order: `who` went instead of `calm`.
Mishap went_before(EntityStep who, EntityStep calm) {
    Mishap mishap;
    mishap.who = who;
    mishap.calm = calm;
    return mishap;
}

/// Makes every run there is and returns their answers, in the order in which they were made; at most `runs_max`.
std::vector<Answers> all_of(NearbySearch& search, std::size_t runs_max = 1'000) {
    std::vector<Answers> runs;
    while (runs.size() < runs_max) {
        const std::optional<Replayed> run = search.next();
        if (!run.has_value()) {
            break;
        }
        runs.push_back(test::answers(run->tape));
    }
    return runs;
}

/// Five yes-or-no questions of entity 1, one in each of its steps.
auto five_questions() {
    return test::ToyProgram([](World& world) {
        for (std::uint32_t step = 1; step <= 5; ++step) {
            test::ask(world, 2, {1, step});
        }
    });
}

}  // namespace

TEST_CASE("without a beginning nothing is searched") {
    auto program = five_questions();
    World world{WorldOptions{}};
    NearbySearch search(program, world, {});
    CHECK_FALSE(search.next().has_value());
}

TEST_CASE("the runs to begin from are made first, by rank and then by age") {
    auto program = five_questions();
    World world{WorldOptions{}};
    NearbySearch search(program, world, {});
    Constraint first;
    first.kind = ChoiceKind::value;
    first.place.path = "main";
    search.add({first}, 1);  // nobody has that path here: all is calm
    search.add({}, 0);
    const std::vector<Answers> runs = all_of(search, 2);
    REQUIRE(runs.size() == 2);
    CHECK(runs[0] == Answers{0, 0, 0, 0, 0});
    CHECK(runs[1] == Answers{0, 0, 0, 0, 0});
}

TEST_CASE("the answer that was recorded is tried first in its place, then in the steps beside it") {
    auto program = five_questions();
    World world{WorldOptions{}};
    NearbySearch search(program, world, {answered(1, 3, 1)});
    search.add({}, 0);
    const std::vector<Answers> runs = all_of(search, 6);
    REQUIRE(runs.size() == 6);
    CHECK(runs[0] == Answers{0, 0, 0, 0, 0});
    CHECK(runs[1] == Answers{0, 0, 1, 0, 0});
    const std::set<Answers> beside(runs.begin() + 2, runs.begin() + 4);
    CHECK(beside == std::set<Answers>{{0, 1, 0, 0, 0}, {0, 0, 0, 1, 0}});
}

TEST_CASE("every run is within reach, and none is followed twice") {
    auto program = five_questions();
    World world{WorldOptions{}};
    NearbySearch search(program, world, {answered(1, 3, 1)});
    search.add({}, 0);
    const std::vector<Answers> runs = all_of(search);
    CHECK(std::set<Answers>(runs.begin(), runs.end()).size() == 32);
    CHECK(runs.size() == 32);
}

TEST_CASE("a second way to a run that was made leads nowhere else") {
    auto program = five_questions();
    World world{WorldOptions{}};
    NearbySearch search(program, world, {});
    search.add({}, 0);
    search.add({}, 0);
    CHECK(all_of(search).size() == 33);  // the calm run twice, its neighbours once
}

TEST_CASE("who was recorded to go first is let go first before strangers are") {
    // Entities 1 to 4, all ready, two steps each; it was recorded that 3 went instead of 1.
    auto program = test::ToyProgram([](World& world) {
        test::ToyLoop loop(world, {2, 2, 2, 2});
        while (!loop.is_over()) {
            loop.step();
        }
    });
    World world{WorldOptions{}};
    NearbySearch search(program, world, {went_before({3, 1}, {1, 1})});
    search.add({}, 0);
    const std::vector<Answers> runs = all_of(search, 2);
    REQUIRE(runs.size() == 2);
    CHECK(runs[1].front() == 2);  // the class of entity 3 at the first question
    CHECK(std::count_if(runs[1].begin() + 1, runs[1].end(), [](std::uint32_t taken) { return taken != 0; }) == 0);
}

TEST_CASE("a question that has fewer answers now gets the largest it has") {
    std::uint32_t classes = 3;
    auto program = test::ToyProgram([&classes](World& world) {
        const std::uint32_t first = test::ask(world, 2, {1, 1});
        test::ask(world, first == 0 ? classes : 2, {1, 2});
        test::ask(world, 2, {1, 3});
    });
    World world{WorldOptions{}};
    NearbySearch search(program, world, {answered(1, 2, 2)});
    search.add({}, 0);
    CHECK(all_of(search, 2).back() == Answers{0, 2, 0});
    classes = 2;  // the program changes while it is searched: what was planned is cut to what there is
    for (const Answers& run : all_of(search)) {
        CHECK(*std::max_element(run.begin(), run.end()) <= 1);
    }
}

}  // namespace mishap::detail
