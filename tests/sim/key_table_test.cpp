#include <mishap/sim/detail/key_table.hpp>

#include <map>

#include <mishap/sim/prng.hpp>

#include "support/catch.hpp"

namespace mishap::detail {

TEST_CASE("a key table holds what a map holds, through growth and clearing") {
    KeyTable<std::uint64_t> table;
    std::map<std::uint64_t, std::uint64_t> map;
    Prng prng(11);
    for (int round = 0; round < 20; ++round) {
        table.clear();
        map.clear();
        CHECK(table.find(0) == nullptr);
        for (int i = 0; i < 500; ++i) {
            const std::uint64_t key = prng.below(300);  // 0 among them
            table[key] += 7;
            map[key] += 7;
        }
        REQUIRE(table.size() == map.size());
        for (std::uint64_t key = 0; key < 300; ++key) {
            const std::uint64_t* const found = table.find(key);
            const auto expected = map.find(key);
            REQUIRE((found != nullptr) == (expected != map.end()));
            if (found != nullptr) {
                REQUIRE(*found == expected->second);
            }
        }
    }
}

}  // namespace mishap::detail
