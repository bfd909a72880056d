#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/properties/scenario.hpp>

namespace mishap::detail {

/// What the command line and the environment ask for. What is not given a scenario decides for itself.
struct Settings {
    std::optional<std::uint64_t> seed;
    std::optional<std::uint64_t> runs;
    std::optional<std::chrono::nanoseconds> time;
    std::optional<Strategy::Kind> strategy;
    std::optional<std::size_t> stack_size_bytes;
    std::string stack_size_text;
    unsigned jobs = 1;  // 0: everything in this process
    std::string out = ".mishap";
    bool shrink = true;
    Sweep sweep = Sweep::off;  // the command, not an option
};

/// Something that can be set on the command line, as `--name VALUE`, and in the environment.
struct Setting {
    const char* name;      // "--seed"
    const char* variable;  // "MISHAP_SEED"
    const char* value;     // what its value looks like, for the help: "N"
    const char* help;
    void (*set)(Settings& settings, std::string_view value, std::string_view source);
};

/// Everything that can be set; the one table for options, environment and help.
const std::vector<Setting>& all_settings();

/// Sets what `MISHAP_*` variables of the environment say.
///
/// Throws:    UsageError for an unknown one, or a value that makes no sense.
void read_environment(Settings& settings);

/// Returns `scenario`'s options with what `settings` say instead.
ExploreOptions options_of(const Scenario& scenario, const Settings& settings);

/// Returns the settings in words, for the first line of a run.
std::string describe(const Settings& settings);

}  // namespace mishap::detail
