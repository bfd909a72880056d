#include <mishap/mishap.hpp>

#include "support/catch.hpp"

using namespace mishap;
using namespace std::chrono_literals;

namespace {

ExploreOptions tracked() {
    ExploreOptions options;
    options.name = "sharing";
    options.sharing = Sharing::tracked;
    options.runs_max = 20'000;
    return options;
}

/// Three tasks make two steps each, on variables of their own.
void apart() {
    Shared<int> n[3];
    std::vector<Task<void>> tasks;
    for (Shared<int>& own : n) {
        tasks.push_back(create_task([&own] {
            own.store(1);
            sleep(0s);
            own.fetch_add(1);
        }));
    }
    for (const Task<void>& task : tasks) {
        await(task);
    }
}

}  // namespace

TEST_CASE("tasks that share nothing tracked have few interleavings, when they share nothing else either") {
    ExploreOptions options = tracked();
    options.strategy = Strategy::dpor;
    const Report pruned = explore(apart, options);
    CHECK(pruned.passed());
    REQUIRE(pruned.search.interleavings.has_value());
    options.sharing = Sharing::unknown;
    const Report all = explore(apart, options);
    REQUIRE(all.search.interleavings.has_value());
    CHECK(*pruned.search.interleavings * 20 < *all.search.interleavings);
    CHECK(pruned.headline().find("interleaving") != std::string::npos);
    CHECK(all.headline().find("orders pass") != std::string::npos);
}

TEST_CASE("a promise that tasks share nothing untracked is refuted when they do") {
    const auto body = [] {
        int hidden = 0;
        Shared<int> a{0, "a"};
        Shared<int> b{0, "b"};
        const auto one = create_task([&] { hidden = 1; a.store(hidden); }, {.name = "one"});
        const auto two = create_task([&] { b.store(hidden); }, {.name = "two"});
        await(one);
        await(two);
    };
    const Report report = explore(body, tracked());
    REQUIRE_FALSE(report.passed());
    CHECK(report.finding->kind == FindingKind::broken_promise);
    ExploreOptions options = tracked();
    options.sharing = Sharing::unknown;
    CHECK(explore(body, options).passed());
}

TEST_CASE("a promise that is kept is not refuted") {
    const auto body = [] {
        Shared<int> shown{0, "shown"};
        Shared<int> b{0, "b"};
        const auto one = create_task([&] { shown.store(1); }, {.name = "one"});
        const auto two = create_task([&] { b.store(shown.load()); }, {.name = "two"});
        await(one);
        await(two);
    };
    const Report report = explore(body, tracked());
    INFO(report.to_text());
    CHECK(report.passed());
    CHECK(report.search.is_exhausted);
}

TEST_CASE("a reduced search answers questions other than who goes next in every interleaving, and claims so") {
    const auto body = [] {
        Shared<int> n{0, "n"};
        const auto one = create_task([&] { n.store(static_cast<int>(choose(2, "which"))); }, {.name = "one"});
        const auto two = create_task([&] { n.load(); }, {.name = "two"});
        await(one);
        await(two);
    };
    ExploreOptions options = tracked();
    options.strategy = Strategy::dpor;
    const Report reduced = explore(body, options);
    CHECK(reduced.passed());
    CHECK(reduced.search.is_exhausted);
    // With each of two answers: written before it is read, and main then waits for two or finds it done; or written after.
    CHECK(reduced.search.interleavings.value_or(0) == 6U);
    options.sharing = Sharing::unknown;
    CHECK(explore(body, options).search.is_exhausted);
}

TEST_CASE("what threads share unguarded and untracked is tried in random orders before all is claimed") {
    // Of the tracked accesses there is one interleaving. What one sees of the other is seen in the order of all steps only.
    const auto body = [](bool is_shared) {
        return [is_shared] {
            int plain = 0;
            Shared<int> x{0, "x"};
            Shared<int> y{0, "y"};
            Thread writer([&] {
                x.fetch_add(1);
                plain = is_shared ? 1 : 0;
                x.fetch_add(1);
            });
            Thread reader([&] {
                y.fetch_add(1);
                const int first = plain;
                y.fetch_add(1);
                always(plain == first, "nobody writes meanwhile");
            });
            writer.join();
            reader.join();
        };
    };
    for (const Strategy::Kind strategy : {Strategy::automatic, Strategy::dpor}) {
        const Report report = explore(body(true), {.strategy = strategy});
        REQUIRE(report.finding.has_value());
        CHECK(report.finding->label == "nobody writes meanwhile");
        const Report right = explore(body(false), {.strategy = strategy});
        CHECK(right.passed());
        CHECK(right.headline() == "the only interleaving passes");
        CHECK(right.promises.find("what else they share is guarded") != std::string::npos);
    }
}
