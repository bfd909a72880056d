#include <mishap/sim/prng.hpp>

#include <array>
#include <cstdlib>
#include <vector>

#include "support/catch.hpp"

using mishap::Prng;

TEST_CASE("the generator's words from a given state are those of the published algorithm") {
    Prng prng(Prng::State{1, 2, 3, 4});
    const std::vector<std::uint64_t> published{11520,
                                               0,
                                               1509978240,
                                               1215971899390074240,
                                               1216172134540287360,
                                               607988272756665600,
                                               16172922978634559625U,
                                               8476171486693032832,
                                               10595114339597558777U,
                                               2904607092377533576};
    for (const std::uint64_t word : published) REQUIRE(prng.next() == word);
}

TEST_CASE("a seed is spread over the state as SplitMix64 does it") {
    const Prng prng(1234567);
    REQUIRE(prng.state() ==
            Prng::State{6457827717110365317, 3203168211198807973, 9817491932198370423U, 4593380528125082431});
    REQUIRE(Prng(0).state()[0] == 0xe220a8397b1dcdaf);
}

TEST_CASE("the sequences of seeds never change") {
    Prng zero(0);
    REQUIRE(zero.next() == 0x99ec5f36cb75f2b4);
    REQUIRE(zero.next() == 0xbf6e1f784956452a);
    static_assert(Prng(0).next() == 0x99ec5f36cb75f2b4);
}

TEST_CASE("bounded draws never change") {
    Prng prng(42);
    std::vector<std::uint32_t> drawn;
    for (const std::uint32_t bound : {2U, 3U, 10U, 1000U, 0xc0000000U, 0xc0000000U, 0xffffffffU})
        drawn.push_back(prng.below(bound));
    REQUIRE(drawn == std::vector<std::uint32_t>{0, 1, 6, 924, 3194824031, 2479504356, 3089192068});
    std::vector<std::uint64_t> wide;
    for (const std::uint64_t bound : {std::uint64_t{10}, std::uint64_t{3} << 62, ~std::uint64_t{0}})
        wide.push_back(prng.below64(bound));
    REQUIRE(wide == std::vector<std::uint64_t>{8, 10533658763019258718U, 10760895422300929084U});
}

TEST_CASE("a draw below one is always zero") {
    Prng prng(5);
    for (int i = 0; i < 100; ++i) {
        REQUIRE(prng.below(1) == 0);
        REQUIRE(prng.below64(1) == 0);
    }
}

TEST_CASE("every number below a bound is drawn equally often") {
    // Chi-square with 9 degrees of freedom stays below 27.9 in 999 of 1000 fair samples; the seed is fixed,
    // so this is no dice.
    constexpr int draws = 1'000'000;
    std::array<int, 10> narrow{};
    std::array<int, 10> wide{};
    Prng prng(1);
    for (int i = 0; i < draws; ++i) {
        ++narrow[prng.below(10)];
        ++wide[prng.below64(10)];
    }
    const auto chi_square = [](const std::array<int, 10>& counts) {
        double sum = 0;
        for (const int count : counts)
            sum += (count - draws / 10.0) * (count - draws / 10.0) / (draws / 10.0);
        return sum;
    };
    REQUIRE(chi_square(narrow) < 27.9);
    REQUIRE(chi_square(wide) < 27.9);
}

TEST_CASE("a bound near the largest favours no number") {
    // With 3/4 of all words, multiplying without rejecting would draw every third number twice as often as
    // the others.
    constexpr int draws = 300'000;
    std::array<int, 3> narrow{};
    std::array<int, 3> wide{};
    Prng prng(2);
    for (int i = 0; i < draws; ++i) {
        ++narrow[prng.below(0xc0000000) % 3];
        ++wide[prng.below64(std::uint64_t{3} << 62) % 3];
    }
    for (const auto& counts : {narrow, wide}) {
        for (const int count : counts)
            REQUIRE(std::abs(count - draws / 3) < 1'300);  // five standard deviations
    }
}
