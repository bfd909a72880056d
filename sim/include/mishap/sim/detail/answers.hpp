#pragma once

#include <cstdint>
#include <vector>

#include <mishap/sim/detail/key_index.hpp>

namespace mishap::detail {

/// Sequences of answers to the data questions of a step, each distinct one kept once and named by a number.
///
/// A sequence stands for all that follow it with zeros: what is not answered otherwise is answered calmly, and a question
/// that is answered calmly need not be asked. So equal numbers mean equal answers. They form a tree: a sequence is a
/// shorter one and a last answer, which is not 0.
///
/// Questions whether a budget is used are numbered apart, those of each budget: once it is used up they are not asked any more,
/// and the places of the others must not depend on that.
class Answers {
public:
    static constexpr std::uint32_t calm = 0;  // no answer, or zeros only
    static constexpr std::uint32_t places_max = 1U << 24U;  // of one budget, and of all that need none

    Answers() { entries_.push_back({}); }

    /// Returns `sequence` with `answer` to question `place`, to which it has none.
    std::uint32_t with(std::uint32_t sequence, std::uint32_t place, std::uint32_t answer);
    /// Returns the answer to question `place`.
    std::uint32_t at(std::uint32_t sequence, std::uint32_t place) const;
    /// Returns what becomes of `wanted` in a step that asks `questions`, a sequence of numbers of classes: what is not asked, or
    /// has no such class, is answered calmly.
    std::uint32_t given(std::uint32_t wanted, std::uint32_t questions);

private:
    struct Entry {
        std::uint32_t shorter = calm;
        std::uint32_t place = 0;
        std::uint32_t answer = 0;

        friend bool operator==(const Entry&, const Entry&) = default;
    };

    std::vector<Entry> entries_;
    KeyIndex by_content_;  // number n is entry n + 1
};

}  // namespace mishap::detail
