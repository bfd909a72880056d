#pragma once

#include <array>
#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mishap::detail {

/// Counts, for each of eight children, the members of the children before it, and finds the child of the n-th
/// member.
///
/// The counts are eight 16-bit lanes of one vector: one instruction updates them all, one compares them all with
/// the rank. Children are opened in order as they get their first members. The lane of one that is not open yet
/// holds no count but something above every rank, so that members can be added to the last open child without
/// touching the node.
///
/// Invariant: at most `members_max` members are ever added, and that is what the lanes of unopened children begin
/// with. They sink with every member removed, but so does the highest rank.
class RankNode {
public:
    static constexpr std::uint32_t members_max = 1U << 15;

    /// Opens `child`, whose predecessors have `before` members now. The first child is always open.
    void open(std::uint32_t child, std::uint32_t before) { lanes_[child] = static_cast<std::uint16_t>(before); }
    /// Counts one member more in `child`, which need not be the last that is open.
    void add_one(std::uint32_t child) {
        for (std::uint32_t later = child + 1; later < 8; ++later) ++lanes_[later];
    }
    /// Counts one member less in `child`.
    void subtract_one(std::uint32_t child) {
#if defined(__SSE2__)
        store(_mm_sub_epi16(load(), _mm_load_si128(reinterpret_cast<const __m128i*>(after[child].data()))));
#else
        for (std::uint32_t i = 0; i < 8; ++i) lanes_[i] = static_cast<std::uint16_t>(lanes_[i] - after[child][i]);
#endif
    }
    /// Returns how many members the children before `child` have.
    std::uint32_t before(std::uint32_t child) const { return lanes_[child]; }
    /// Finds the child that holds the member with `rank` members before it: the last whose count is not above
    /// the rank.
    std::uint32_t find(std::uint32_t rank) const {
#if defined(__SSE2__)
        // Counts never fall from child to child, and what is left of those not above the rank is zero.
        const __m128i above = _mm_subs_epu16(load(), _mm_set1_epi16(static_cast<short>(rank)));
        const int not_above = _mm_movemask_epi8(_mm_cmpeq_epi16(above, _mm_setzero_si128()));
        return static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(not_above)) - 1) / 2;
#else
        std::uint32_t child = 0;
        for (std::uint32_t i = 1; i < 8; ++i) child += static_cast<std::uint32_t>(lanes_[i] <= rank);
        return child;
#endif
    }

    /// Removes the member with `rank` members before it, and returns what `find` does; `before` of that child stays as it is.
    std::uint32_t take(std::uint32_t rank) {
#if defined(__SSE2__)
        // The later children are those whose counts are above the rank: the comparison itself is what to add to the lanes.
        // That the lanes do not wait for the child to be known is a third of what taking costs.
        const __m128i lanes = load();
        const __m128i above = _mm_subs_epu16(lanes, _mm_set1_epi16(static_cast<short>(rank)));
        const __m128i is_not_above = _mm_cmpeq_epi16(above, _mm_setzero_si128());
        store(_mm_add_epi16(lanes, _mm_xor_si128(is_not_above, _mm_set1_epi16(-1))));
        return static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(_mm_movemask_epi8(is_not_above))) - 1) / 2;
#else
        const std::uint32_t child = find(rank);
        subtract_one(child);
        return child;
#endif
    }

private:
    using Lanes = std::array<std::uint16_t, 8>;

    /// What to add to the lanes for one member of a child: one in every lane of a later child.
    alignas(16) static constexpr std::array<Lanes, 8> after = [] {
        std::array<Lanes, 8> lanes{};
        for (std::size_t child = 0; child < 8; ++child) {
            for (std::size_t later = child + 1; later < 8; ++later) lanes[child][later] = 1;
        }
        return lanes;
    }();

#if defined(__SSE2__)
    __m128i load() const { return _mm_load_si128(reinterpret_cast<const __m128i*>(lanes_.data())); }
    void store(__m128i lanes) { _mm_store_si128(reinterpret_cast<__m128i*>(lanes_.data()), lanes); }
#endif

    alignas(16) Lanes lanes_{0,           members_max, members_max, members_max,
                             members_max, members_max, members_max, members_max};
};

}  // namespace mishap::detail
