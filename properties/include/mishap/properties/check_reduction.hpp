#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <mishap/properties/options.hpp>

namespace mishap {

/// What optimal DPOR and a search that leaves nothing out have seen of one program; failures end neither.
struct ReductionCheck {
    struct Seen {
        std::uint64_t runs = 0;
        std::uint64_t stuck = 0;               // runs in which nothing could go on
        bool is_exhausted = false;
        std::vector<std::uint64_t> interleavings;  // fingerprints; this and what follows: each once, ordered
        std::vector<std::uint64_t> states;         // values read and written, in which interleaving, when and how it ended
        std::vector<std::string> verdicts;         // signatures of findings, and "passes"
    };
    Seen reduced;
    Seen all;
    std::uint64_t wasted = 0;  // runs of DPOR that were given up, or steps that it planned and that were not possible

    /// Returns whether both searches ended and nothing that can happen was left out.
    bool loses_nothing() const;
    /// Returns whether, besides, DPOR made one run of each interleaving and none in vain.
    bool is_optimal() const;
    /// Says in a few lines what was seen, and what was left out.
    std::string to_text() const;
};

/// Searches a small program with optimal DPOR and with plain exhaustive search, and compares.
///
/// For those who doubt a claim that all interleavings pass: of the promise `Sharing::tracked`, or of mishap's own
/// footprints. Each search makes at most `options.runs_max` runs; the strategy of `options` does not matter.
ReductionCheck check_reduction(const std::function<void()>& body, const ExploreOptions& options = {});

}  // namespace mishap
