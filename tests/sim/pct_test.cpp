#include <mishap/sim/pct.hpp>

#include <algorithm>

#include <mishap/sim/errors.hpp>
#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/portfolio.hpp>

#include "order_counts.hpp"
#include "support/catch.hpp"

namespace mishap {
namespace {

std::size_t switches_in(const std::string& order) {
    std::size_t switches = 0;
    for (std::size_t i = 1; i < order.size(); ++i) {
        switches += order[i] != order[i - 1] ? 1U : 0U;
    }
    return switches;
}

}  // namespace

TEST_CASE("with a depth of 1 every entity ends before the next begins, in every order alike") {
    Pct pct(1, 5, 0);
    const auto counts = test::count_orders(test::orders_of(pct, {3, 2, 4}, test::limits(6'000)));
    CHECK(counts.size() == 6);
    for (const auto& [order, count] : counts) {
        CHECK(switches_in(order) == 2);
        CHECK(std::abs(count - 1'000) < 120);  // four standard deviations
    }
}

TEST_CASE("each further depth makes at most one entity step back before it has ended") {
    for (std::uint32_t depth = 2; depth <= 4; ++depth) {
        Pct pct(depth, 5, 3);
        std::vector<std::string> orders = test::orders_of(pct, {6, 6}, test::limits(3'000));
        orders.erase(orders.begin(), orders.begin() + 3);
        std::size_t most = 0;
        for (const std::string& order : orders) {
            most = std::max(most, switches_in(order));
        }
        CHECK(most == depth);  // one switch because an entity ends, one a change point
    }
}

// A run fails when entity b begins exactly after step j of a and a then waits for b to end: one order of depth
// 2.
TEST_CASE("an order of depth 2 is found at least as often as guaranteed") {
    Pct pct(2, 11, 1);
    const auto counts = test::count_orders(test::orders_of(pct, {5, 3}, test::limits(20'001)), 1);
    constexpr double guaranteed = 20'000 / (2.0 * 8);
    for (const std::string order : {"abbbaaaa", "aabbbaaa", "aaabbbaa", "aaaabbba", "baaaaabb", "bbaaaaab"}) {
        INFO(order);
        CHECK(counts.at(order) > guaranteed - 4 * 35);  // four standard deviations
    }
}

// Two entities in turn: the second change point must put b below the place where the first has put a.
TEST_CASE("an order of depth 3 is found at least as often as guaranteed") {
    Pct pct(3, 11, 1);
    const auto counts = test::count_orders(test::orders_of(pct, {2, 2}, test::limits(20'001)), 1);
    constexpr double guaranteed = 20'000 / (2.0 * 16);
    for (const std::string order : {"abab", "baba"}) {
        INFO(order);
        CHECK(counts.at(order) > guaranteed - 4 * 25);  // four standard deviations
    }
}

TEST_CASE("the longest run is known, with the steps at which there was nothing to choose") {
    Pct pct(3, 5, 2);
    test::orders_of(pct, {1, 20}, test::limits(2));
    CHECK(pct.steps_longest() == 21);
    test::orders_of(pct, {7, 20}, test::limits(1, 2));
    CHECK(pct.steps_longest() == 27);
    test::orders_of(pct, {2, 3}, test::limits(5, 3));
    CHECK(pct.steps_longest() == 27);
}

TEST_CASE("a run of PCT follows from seed, number and the longest run") {
    Pct one(3, 7, 1);
    Pct two(3, 7, 1);
    Pct other(3, 8, 1);
    const auto all = test::orders_of(one, {5, 5, 5}, test::limits(31));
    CHECK(test::orders_of(other, {5, 5, 5}, test::limits(31)) != all);
    const auto some = test::orders_of(two, {5, 5, 5}, test::limits(16, 0, 2));
    REQUIRE(some.size() == 16);
    for (std::size_t i = 0; i < some.size(); ++i) {
        CHECK(some[i] == all[2 * i]);
    }
}

TEST_CASE("PCT makes the same runs as a member of a portfolio") {
    std::vector<std::unique_ptr<Strategy>> members;
    members.push_back(std::make_unique<Exhaustive>());
    members.push_back(std::make_unique<Pct>(2, 7, 2));
    Portfolio portfolio(std::move(members));
    Pct alone(2, 7, 2);
    const auto both = test::orders_of(portfolio, {4, 4}, test::limits(40));
    const auto expected = test::orders_of(alone, {4, 4}, test::limits(20, 1, 2));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(both.at(2 * i + 1) == expected[i]);
    }
}

TEST_CASE("a depth of 0 is refused") { CHECK_THROWS_AS(Pct(0, 1), UsageError); }

TEST_CASE("PCT answers data questions by their weights") {
    Pct pct(2, 3, 0);
    pct.begin_run({0});
    const std::vector<std::uint32_t> weights{9, 1};
    Question question;
    question.kind = ChoiceKind::chance;
    question.classes = 2;
    question.weights = weights;
    int rare = 0;
    for (int i = 0; i < 10'000; ++i) {
        rare += static_cast<int>(pct.pick(question));
    }
    CHECK(std::abs(rare - 1'000) < 120);  // four standard deviations
}

}  // namespace mishap
