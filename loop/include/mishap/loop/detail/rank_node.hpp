#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace mishap::detail {

/// Counts, for each of eight children, the members of the children before it, and finds the child of the n-th
/// member.
///
/// The counts are 16-bit lanes: child 2k is lane k of the first word, child 2k + 1 lane k of the second.
/// Neither a count nor a rank exceeds 2^15 - 1, so the top bit of a lane is free to tell the result of a
/// comparison, and no lane borrows from its neighbour. The lanes alternate so that the two words' results,
/// shifted into each other, are in the order of the children.
class RankNode {
public:
    /// Counts one member more in `child`.
    void add_one(std::uint32_t child) {
        lanes_[0] += after[child][0];
        lanes_[1] += after[child][1];
    }
    /// Counts one member less in `child`.
    void subtract_one(std::uint32_t child) {
        lanes_[0] -= after[child][0];
        lanes_[1] -= after[child][1];
    }
    /// Returns how many members the children before `child` have.
    std::uint32_t before(std::uint32_t child) const {
        return static_cast<std::uint32_t>(lanes_[child % 2] >> (child / 2 * 16)) & 0x7fff;
    }
    /// Finds the child that holds the member with `rank` members before it: the last whose count is not above
    /// the rank.
    std::uint32_t find(std::uint32_t rank) const {
        const std::uint64_t next = (rank + 1) * ones;
        const std::uint64_t even_above = ((lanes_[0] | tops) - next) & tops;
        const std::uint64_t odd_above = ((lanes_[1] | tops) - next) & tops;
        // Child i's answer is bit 8i + 7. Counts never fall, so those above the rank follow those that are
        // not. Child 0 is never above, so moving all down by one child gives the last that is not; a ninth is
        // above in any case.
        const std::uint64_t above = (even_above >> 16) | (odd_above >> 8) | std::uint64_t{1} << 63;
        return static_cast<std::uint32_t>(std::countr_zero(above)) / 8;
    }

private:
    static constexpr std::uint64_t ones = 0x0001000100010001;
    static constexpr std::uint64_t tops = ones << 15;
    /// What to add to the words for one member of a child: one in every lane of a later child.
    static constexpr std::array<std::array<std::uint64_t, 2>, 8> after{{{ones << 16, ones},
                                                                        {ones << 16, ones << 16},
                                                                        {ones << 32, ones << 16},
                                                                        {ones << 32, ones << 32},
                                                                        {ones << 48, ones << 32},
                                                                        {ones << 48, ones << 48},
                                                                        {0, ones << 48},
                                                                        {0, 0}}};

    std::array<std::uint64_t, 2> lanes_{};
};

}  // namespace mishap::detail
