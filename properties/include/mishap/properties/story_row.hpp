#pragma once

#include <cstdint>
#include <string>

namespace mishap {

/// One row of a story: a step of a run, or a move of the clock.
struct StoryRow {
    std::int64_t time_ns = 0;
    std::string who;        // path and own step
    std::string did;        // what it did, in words
    std::string calm;       // who would have gone calmly, or what would have been calm; empty: it was the calm one
    bool is_mishap() const { return !calm.empty(); }
};

}  // namespace mishap
