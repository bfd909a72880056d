#include <mishap/sim/pos.hpp>

#include "order_counts.hpp"
#include "support/catch.hpp"

namespace mishap {

TEST_CASE("where pending operations are unknown POS is a random walk") {
    Pos pos(3);
    const auto counts = test::count_orders(test::orders_of(pos, {2, 2}, test::limits(16'000)));
    CHECK(counts.size() == 6);
    CHECK(std::abs(counts.at("aabb") - 4'000) < 220);  // four standard deviations
    CHECK(std::abs(counts.at("bbaa") - 4'000) < 220);
    for (const char* const order : {"abab", "abba", "baab", "baba"}) {
        INFO(order);
        CHECK(std::abs(counts.at(order) - 2'000) < 170);
    }
}

TEST_CASE("run n of POS is the same run whatever ran before it") {
    Pos one(3);
    Pos two(3);
    const auto all = test::orders_of(one, {4, 4, 4}, test::limits(30));
    const auto third = test::orders_of(two, {4, 4, 4}, test::limits(10, 0, 3));
    for (std::size_t i = 0; i < third.size(); ++i) {
        CHECK(third[i] == all.at(3 * i));
    }
}

}  // namespace mishap
