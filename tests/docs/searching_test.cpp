// The code of docs/searching.md.

#include "support/catch.hpp"

#include <mishap/mishap.hpp>
#include <mishap/properties/check_reduction.hpp>

#include <mutex>

using namespace mishap;
using namespace std::chrono_literals;

TEST_CASE("no ticket is sold twice") {
    check(
        [] {
            Mutex mutex("till");
            Shared<int> left{1, "tickets left"};
            int sold = 0;
            const auto sell = [&] {
                const std::lock_guard guard(mutex);
                if (left.load() > 0) {
                    left.store(left.load() - 1);
                    ++sold;
                }
            };
            Thread one(sell, {.name = "one"});
            Thread two(sell, {.name = "two"});
            one.join();
            two.join();
            always(sold == 1, "one ticket, one buyer");
        },
        {.name = "tickets"});
}

// Without the lock, the same is found in the first run.
TEST_CASE("an unguarded ticket is sold twice") {
    const Report report = explore([] {
        Shared<int> left{1, "tickets left"};
        const auto sell = [&] { left.store(left.load() - 1); };
        Thread one(sell, {.name = "one"});
        Thread two(sell, {.name = "two"});
        one.join();
        two.join();
    });
    REQUIRE(report.finding.has_value());
    CHECK(report.finding->kind == FindingKind::race);
}

static void count_apart() {
    Shared<int> hits{0, "hits"};
    Shared<int> misses{0, "misses"};
    gather(create_task([&] { hits.fetch_add(1); }), create_task([&] { misses.fetch_add(1); }));
}

TEST_CASE("counting apart has few interleavings") {
    const Report all = explore(count_apart, {.strategy = Strategy::dpor});
    const Report fewer = explore(count_apart, {.sharing = Sharing::tracked, .strategy = Strategy::dpor});
    CHECK(all.passed());
    CHECK(fewer.passed());
    CHECK(fewer.search.interleavings.value() < all.search.interleavings.value());

    ExploreOptions options;
    options.sharing = Sharing::tracked;
    const ReductionCheck reduction = check_reduction(count_apart, options);
    CHECK(reduction.loses_nothing());
}
