#pragma once

#include <cstdint>

namespace mishap {

/// The running hash of a run: equal for equal runs, in every build. Addresses, places and text never enter it.
class Digest {
public:
    void fold(std::uint64_t word) {
        // The multiplier is the golden ratio's, odd; the shift carries the high bits, which depend on all
        // earlier words, back into the low half that tapes keep.
        value_ = (value_ ^ word) * 0x9e37'79b9'7f4a'7c15U;
        value_ ^= value_ >> 32U;
    }
    std::uint64_t value() const { return value_; }
    void reset() { value_ = seed; }

private:
    static constexpr std::uint64_t seed = 0x6d69'7368'6170'3031U;  // "mishap01"
    std::uint64_t value_ = seed;
};

}  // namespace mishap
