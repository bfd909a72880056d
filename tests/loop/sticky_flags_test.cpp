#include <mishap/loop/detail/sticky_flags.hpp>

#include "support/catch.hpp"

#include <cfenv>

namespace mishap::detail {

#if defined(__SSE__)
TEST_CASE("inside, every sticky flag is set, outside, the flags are what they were") {
    std::feclearexcept(FE_ALL_EXCEPT);
    const unsigned int control_before = _mm_getcsr();
    {
        const StickyFlags flags;
        CHECK((_mm_getcsr() & 0x3f) == 0x3f);
    }
    CHECK(_mm_getcsr() == control_before);
}

TEST_CASE("a rounding mode set while the flags are kept stays") {
    {
        const StickyFlags flags;
        std::fesetround(FE_UPWARD);
    }
    CHECK(std::fegetround() == FE_UPWARD);
    std::fesetround(FE_TONEAREST);
}
#endif

}  // namespace mishap::detail
