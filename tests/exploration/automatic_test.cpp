// The automatic search on programs whose bugs are known: it finds them, and not much later than who is best at each.

#include <cmath>

#include "exploration/sctbench.hpp"
#include "exploration/search_cost.hpp"
#include "support/catch.hpp"

namespace mishap {

TEST_CASE("the automatic search finds every bug of SCTBench, nearly as soon as the best strategy for each", "[statistics]") {
    constexpr std::uint64_t seeds = 20;
    double log_sum = 0;
    const std::vector<test::KnownProgram> programs = test::sctbench();
    for (const test::KnownProgram& known : programs) {
        test::Played played(known.program.on(test::Actors::Kind::threads));
        const test::Comparison comparison = test::compare(played, seeds, 10'000);
        INFO(known.program.name << " takes " << comparison.automatic.mean() << " runs, " << comparison.best << " at best");
        CHECK(comparison.automatic.has_found_all());
        CHECK(comparison.ratio() <= 6);
        log_sum += std::log(comparison.ratio());
    }
    CHECK(std::exp(log_sum / static_cast<double>(programs.size())) <= 2.5);
}

}  // namespace mishap
