#include <mishap/sim/urw.hpp>

#include "order_counts.hpp"
#include "support/catch.hpp"

namespace mishap {

TEST_CASE("after the profile runs every order of independent steps is equally likely") {
    Urw urw(3, 200);
    const auto counts = test::count_orders(test::orders_of(urw, {5, 2, 1}, test::limits(34'000)), 400);
    REQUIRE(counts.size() == 168);
    double chi_square = 0;
    for (const auto& [order, count] : counts) {
        chi_square += (count - 200) * (count - 200) / 200;
    }
    CHECK(chi_square < 244);  // 167 degrees of freedom: exceeded with a probability of 1e-4
}

TEST_CASE("a random walk prefers orders in which the short entity ends early, URW does not") {
    Urw profile_only(3, 10'000);
    Urw urw(3, 200);
    const auto walked = test::count_orders(test::orders_of(profile_only, {1, 6}, test::limits(7'400)), 400);
    const auto drawn = test::count_orders(test::orders_of(urw, {1, 6}, test::limits(7'400)), 400);
    CHECK(walked.at("bbbbbba") < 180);  // 7000 / 64, and six standard deviations
    CHECK(std::abs(drawn.at("bbbbbba") - 1'000) < 120);  // 7000 / 7, four standard deviations
}

TEST_CASE("only profile runs of URW ask for steps") {
    Urw urw(3, 2);
    CHECK(urw.needs().steps);
    for (std::uint64_t run = 0; run < 4; ++run) {
        urw.begin_run({run});
        CHECK(urw.needs().steps == (run < 2));
    }
    CHECK_FALSE(Urw(3, 0).needs().steps);
}

TEST_CASE("URW makes the same runs for the same seed") {
    Urw one(3);
    Urw two(3);
    Urw other(4);
    const auto orders = test::orders_of(one, {4, 3, 2}, test::limits(60, 5, 3));
    CHECK(orders == test::orders_of(two, {4, 3, 2}, test::limits(60, 5, 3)));
    CHECK(orders != test::orders_of(other, {4, 3, 2}, test::limits(60, 5, 3)));
}

}  // namespace mishap
