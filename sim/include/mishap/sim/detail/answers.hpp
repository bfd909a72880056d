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
class Answers {
public:
    static constexpr std::uint32_t calm = 0;  // no answer, or zeros only

    Answers() { entries_.push_back({}); }

    /// Returns `sequence` with `answer` to question `place`, which no answer of the sequence reaches.
    std::uint32_t with(std::uint32_t sequence, std::uint32_t place, std::uint32_t answer);
    /// Returns the answer to question `place`.
    std::uint32_t at(std::uint32_t sequence, std::uint32_t place) const;

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
