#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/properties/report.hpp>

namespace mishap::detail {

/// What this program ends with; of several the largest counts.
enum ExitCode : int { exit_clean = 0, exit_findings = 1, exit_usage = 2, exit_fault = 3 };

ExitCode exit_code_of(const Report& report);

/// What the command line has to know of a search, small enough to be sent from process to process.
struct Outcome {
    ExitCode exit_code = exit_clean;
    std::uint64_t run = 0;  // the failing one
    std::uint64_t runs = 0;
    std::uint64_t digests = 0;
    std::uint64_t seed = 0;
    bool is_exhausted = false;
    std::chrono::nanoseconds elapsed{0};
    std::string headline;
    std::string text;  // the whole report
    std::vector<std::uint64_t> all_digests;  // sorted; only when others have a part in the search
};

Outcome outcome_of(const Report& report, std::string_view replay_command);

/// Returns `outcome` as bytes for a process of the same program, and back.
std::string to_bytes(const Outcome& outcome);
Outcome from_bytes(std::string_view bytes);

}  // namespace mishap::detail
