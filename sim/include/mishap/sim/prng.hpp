#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstdint>

#include <mishap/sim/hash.hpp>

namespace mishap {

/// Generates pseudo-random words: xoshiro256**, the same sequence for the same seed on every machine and in
/// every version.
///
/// Not for secrets. The standard library's generators are reproducible too, but its distributions are not:
/// draw with `below`. Source: D. Blackman, S. Vigna, "Scrambled Linear Pseudorandom Number Generators"
/// (2021), figure 1; seeded by SplitMix64, as they advise.
class Prng {
public:
    using State = std::array<std::uint64_t, 4>;

    /// Starts the sequence that belongs to `seed`; all seeds are good, zero too.
    constexpr explicit Prng(std::uint64_t seed) {
        for (std::uint64_t& word : state_) {
            seed += 0x9e3779b97f4a7c15;
            word = scramble(seed);
        }
    }

    /// Continues from a state that `state()` returned. It must not be all zeros.
    constexpr explicit Prng(const State& state) : state_(state) {
        assert((state[0] | state[1] | state[2] | state[3]) != 0);
    }

    /// Draws the next 64 bits.
    constexpr std::uint64_t next() {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// Draws a number from 0 to `bound - 1`, each exactly as likely as the others. `bound` is not zero.
    ///
    /// Takes the upper half of one word, more words only if it falls into the remainder that would favour
    /// some numbers: with a chance below bound / 2^32. Source: D. Lemire, "Fast Random Integer Generation in
    /// an Interval" (2019), algorithm 5.
    constexpr std::uint32_t below(std::uint32_t bound) {
        assert(bound != 0);
        std::uint64_t product = (next() >> 32) * bound;
        if (static_cast<std::uint32_t>(product) < bound) {
            const std::uint32_t remainder = (0U - bound) % bound;
            while (static_cast<std::uint32_t>(product) < remainder) product = (next() >> 32) * bound;
        }
        return static_cast<std::uint32_t>(product >> 32);
    }

    /// Draws a number from 0 to `bound - 1` as `below` does, from whole words. `bound` is not zero.
    constexpr std::uint64_t below64(std::uint64_t bound) {
        assert(bound != 0);
        Wide product = Wide{next()} * bound;
        if (static_cast<std::uint64_t>(product) < bound) {
            const std::uint64_t remainder = (std::uint64_t{0} - bound) % bound;
            while (static_cast<std::uint64_t>(product) < remainder) product = Wide{next()} * bound;
        }
        return static_cast<std::uint64_t>(product >> 64);
    }

    /// Returns what is needed to go on from here later.
    constexpr const State& state() const { return state_; }

private:
    __extension__ using Wide = unsigned __int128;

    State state_{};
};

}  // namespace mishap
