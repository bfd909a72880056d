// Programs that are not deterministic are told so, where it happens, with both sides.

#include <mishap/properties/detail/divergence.hpp>

#include <chrono>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include <mishap/loop/detail/sanitizers.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/properties/claims.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;
using test::tells;

/// Whether the report has both sides, and they are told as `one` and `other`.
bool has_sides(const Report& report, const std::string& one, const std::string& other) {
    return tells(report, "one run:   " + one) && tells(report, "the other: " + other);
}

void store_quietly(Shared<int>& shared, int value) { shared.store(value); }

}  // namespace

TEST_CASE("a program that looks at the wall clock diverges where the clocks differ") {
    const Report report = explore([] {
        sleep(1s);
        sleep(std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch().count() % 1'000'000'007 + 1));
    });
    INFO(report.to_text());
    CHECK(report.is_divergence());
    CHECK(contains(report.finding->what, "two calm runs differ"));
    CHECK(has_sides(report, "1.", "1."));
    CHECK(tells(report, "the clock moves to"));
    CHECK(tells(report, "wall clock"));
}

TEST_CASE("a program with unseeded randomness diverges at the first value that differs") {
    const Report report = explore([] {
        Shared<std::uint64_t> value(0, "value");
        value.store(7);
        std::random_device device;
        value.store((std::uint64_t{device()} << 32U) | device());
    });
    INFO(report.to_text());
    CHECK(report.is_divergence());
    CHECK(tells(report, "one run:"));
    CHECK(tells(report, "Shared.store"));
    CHECK(tells(report, "unseeded randomness"));
}

TEST_CASE("a variable that grows from run to run makes runs diverge") {
    int runs = 0;
    const Report report = explore([&] {
        Shared<int> value(0, "value");
        store_quietly(value, ++runs);
    });
    INFO(report.to_text());
    CHECK(report.is_divergence());
    CHECK(contains(report.finding->what, "two calm runs differ"));
    CHECK(tells(report, "one run:"));
    CHECK(contains(report.finding->place.file, "divergence_test.cpp"));
}

TEST_CASE("global state that the first run initialises is told apart, and shown") {
    bool is_warm = false;
    const Report report = explore([&] {
        if (!is_warm) {
            sleep(1s);
            is_warm = true;
        }
        sleep(2s);
    });
    INFO(report.to_text());
    CHECK(report.is_divergence());
    CHECK(contains(report.finding->what, "2 = 3"));
    CHECK(tells(report, "the clock moves to 1.000s"));
    CHECK(tells(report, "the clock moves to 2.000s"));
}

#if !MISHAP_ASAN  // its allocator decides itself where things lie
TEST_CASE("a program that orders by address diverges where the order shows") {
    const Report report = explore([] {
        Shared<int> first(0, "first");
        Shared<int> last(0, "last");
        std::vector<std::unique_ptr<int>> numbers;
        std::set<int*> by_address;
        for (int i = 0; i < 4; ++i) {
            numbers.push_back(std::make_unique<int>(i));
            by_address.insert(numbers.back().get());
        }
        first.store(**by_address.begin());
        last.store(**by_address.rbegin());
    });
    INFO(report.to_text());
    CHECK(report.is_divergence());
    CHECK(contains(report.finding->place.file, "divergence_test.cpp"));
}
#endif

TEST_CASE("a failure that only an earlier run makes possible is a divergence in a fresh process, with both sides") {
    int mishaps_seen = 0;
    const auto program = [&] {
        Shared<int> value(0, "value");
        const auto a = create_task([&] { sleep(0s); }, {.name = "a"});
        bool b_was_first = false;
        const auto b = create_task([&] { b_was_first = !a.done(); }, {.name = "b"});
        await(a);
        await(b);
        mishaps_seen += b_was_first ? 0 : 1;
        if (mishaps_seen == 1 && !b_was_first) {
            ++mishaps_seen;  // from now on every such run goes the same way
        }
        value.store(mishaps_seen > 2 && !b_was_first ? 1 : 0);
        always(value.load() == 0, "nothing is left by earlier runs");
    };
    const Report report = explore(program, test::every_order());
    INFO(report.to_text());
    CHECK(report.is_divergence());
    CHECK(tells(report, "had found"));
    ExploreOptions alone = test::every_order();
    alone.confirm_in_child = false;
    mishaps_seen = 0;
    CHECK(explore(program, alone).finding->kind == FindingKind::check);
}

TEST_CASE("a program that goes another way after the same answers is found out by the search itself") {
    int runs = 0;
    const Report report = explore(
        [&] {
            const auto a = create_task([] { sleep(0s); });
            const auto b = create_task([] { sleep(0s); });
            if (++runs > 4) {
                create_task([] {});
            }
            await(a);
            await(b);
        },
        test::every_order());
    INFO(report.to_text());
    CHECK(report.is_divergence());
    CHECK(contains(report.finding->what, "began as an earlier one"));
}

TEST_CASE("a program that draws from a generator of its own seed does not diverge") {
    const Report report = explore([] {
        Prng prng(3);
        Shared<std::uint64_t> value(0, "value");
        value.store(prng.next());
        sleep(std::chrono::nanoseconds(prng.below(1'000)));
    });
    CHECK(report.passed());
}

TEST_CASE("reset clears what runs leave behind") {
    int runs = 0;
    ExploreOptions options = test::every_order();
    options.reset = [&] { runs = 0; };
    const Report report = explore(
        [&] {
            Shared<int> value(0, "value");
            store_quietly(value, ++runs);
            const auto a = create_task([] { sleep(0s); });
            const auto b = create_task([] { sleep(0s); });
            await(a);
            await(b);
            always(runs == 1, "every run is the first");
        },
        options);
    INFO(report.to_text());
    CHECK(report.passed());
    CHECK(report.search.runs > 1);
}

}  // namespace mishap
