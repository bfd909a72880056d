#include <mishap/sim/hash.hpp>

#include <algorithm>
#include <bit>
#include <vector>

#include "support/catch.hpp"

using mishap::hash_bytes;
using mishap::hash_text;
using mishap::mix;
using mishap::scramble;

TEST_CASE("texts hash to scrambled FNV-1a values") {
    // The inner values are the published ones for these texts.
    static_assert(hash_text("") == scramble(0xcbf29ce484222325));
    static_assert(hash_text("a") == scramble(0xaf63dc4c8601ec8c));
    static_assert(hash_text("foobar") == scramble(0x85944171f73967e8));
    REQUIRE(hash_bytes("foobar", 6) == hash_text("foobar"));
}

TEST_CASE("hashes never change") {
    REQUIRE(hash_text("main/worker") == 0xcdaef4cdf02c4659);
    REQUIRE(mix(0, 0) == 0x519665bf91416c4d);
    REQUIRE(mix(1, 2) == 0xc82c7ffb14e5a520);
}

TEST_CASE("bytes above 127 hash alike whether char is signed or not") {
    const unsigned char byte = 0xff;
    REQUIRE(hash_bytes(&byte, 1) == scramble((0xcbf29ce484222325 ^ 0xff) * 0x100000001b3));
}

TEST_CASE("mixing distinguishes the order and all pairs of small numbers") {
    REQUIRE(mix(1, 2) != mix(2, 1));
    std::vector<std::uint64_t> mixed;
    for (std::uint64_t a = 0; a < 512; ++a) {
        for (std::uint64_t b = 0; b < 512; ++b) mixed.push_back(mix(a, b));
    }
    std::sort(mixed.begin(), mixed.end());
    REQUIRE(std::adjacent_find(mixed.begin(), mixed.end()) == mixed.end());
}

TEST_CASE("one bit of either word changes about half of the mixed bits") {
    int flipped = 0;
    for (std::uint64_t word = 0; word < 64; ++word) {
        for (int bit = 0; bit < 64; ++bit) {
            flipped += std::popcount(mix(word, 9) ^ mix(word ^ (std::uint64_t{1} << bit), 9));
            flipped += std::popcount(mix(9, word) ^ mix(9, word ^ (std::uint64_t{1} << bit)));
        }
    }
    REQUIRE(flipped / (2 * 64 * 64) >= 31);
    REQUIRE(flipped / (2 * 64 * 64) <= 32);
}
