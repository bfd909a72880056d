#include "settings.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <mishap/loop/detail/stack_pool.hpp>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/make_strategy.hpp>
#include <unistd.h>

#include "values.hpp"

namespace mishap::detail {

namespace {

void set_seed(Settings& settings, std::string_view value, std::string_view source) {
    settings.seed = read_count(value, source);
}

void set_runs(Settings& settings, std::string_view value, std::string_view source) {
    settings.runs = read_count(value, source);
    if (settings.runs == 0) {
        throw UsageError(fmt::format("{} was given 0; a search makes at least 1 run.", source));
    }
}

void set_time(Settings& settings, std::string_view value, std::string_view source) {
    settings.time = read_duration(value, source);
}

void set_strategy(Settings& settings, std::string_view value, std::string_view source) {
    std::vector<std::string> names;
    for (const StrategyName& strategy : strategy_names()) {
        names.emplace_back(strategy.name);
        if (value == strategy.name) {
            settings.strategy = strategy.kind;
            return;
        }
    }
    throw UsageError(fmt::format("{} was given '{}'; it takes {}.{}", source, value, fmt::join(names, ", "),
                                 did_you_mean(close_matches(value, names))));
}

void set_jobs(Settings& settings, std::string_view value, std::string_view source) {
    constexpr std::uint64_t jobs_max = 1024;
    const std::uint64_t jobs = read_count(value, source);
    if (jobs > jobs_max) {
        throw UsageError(fmt::format("{} was given {}; more than {} processes help nobody.", source, jobs, jobs_max));
    }
    settings.jobs = static_cast<unsigned>(jobs);
}

void set_out(Settings& settings, std::string_view value, std::string_view source) {
    if (value.empty()) {
        throw UsageError(fmt::format("{} is empty; give it the folder for tapes.", source));
    }
    settings.out = value;
}

void set_stack_size(Settings& settings, std::string_view value, std::string_view source) {
    settings.stack_size_bytes = read_size_bytes(value, source);
    settings.stack_size_text = value;
    StackOptions options;
    options.stack_size_bytes = *settings.stack_size_bytes;
    try {
        const StackPool probe(options);  // maps nothing, but knows which sizes make sense
    } catch (const UsageError& error) {
        throw UsageError(fmt::format("{} was given {}: {}", source, value, error.what()));
    }
}

}  // namespace

const std::vector<Setting>& all_settings() {
    static const std::vector<Setting> settings = {
        {"--seed", "MISHAP_SEED", "N", "Begin all random choices with N (default: derived from the scenario's name)", set_seed},
        {"--runs", "MISHAP_RUNS", "N", "Make at most N runs of a scenario (default: as the scenario says, else 10000)",
         set_runs},
        {"--time", "MISHAP_TIME", "T", "Begin no run of a scenario after T, such as 500ms, 60s, 5m or 1h; 0s: no limit",
         set_time},
        {"--strategy", "MISHAP_STRATEGY", "NAME", "Search by automatic, random, pct, pos, urw, surw, dpor, preemptions, delays or exhaustive (default: as the scenario says)",
         set_strategy},
        {"--jobs", "MISHAP_JOBS", "N",
         "Share a scenario's runs among N processes (default: 1); 0: run in this process, for a debugger", set_jobs},
        {"--out", "MISHAP_OUT", "DIR", "Write tapes below DIR (default: .mishap)", set_out},
        {"--stack-size", "MISHAP_STACK_SIZE", "SIZE", "Give each task a stack of SIZE bytes, such as 65536, 64K or 1M",
         set_stack_size},
    };
    return settings;
}

void read_environment(Settings& settings) {
    constexpr std::string_view prefix = "MISHAP_";
    std::vector<std::string> names;
    for (const Setting& setting : all_settings()) {
        names.emplace_back(setting.variable);
    }
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (text.substr(0, prefix.size()) != prefix) {
            continue;
        }
        const std::string_view name = text.substr(0, text.find('='));
        const auto setting = std::find_if(all_settings().begin(), all_settings().end(),
                                          [&](const Setting& known) { return name == known.variable; });
        if (setting == all_settings().end()) {
            const std::vector<std::string> close = close_matches(name, names);
            throw UsageError(fmt::format("The environment has {}, which means nothing to mishap; unset it or correct it.{}",
                                         name, close.empty() ? " --help lists the variables there are." : did_you_mean(close)));
        }
        setting->set(settings, text.substr(name.size() + 1), name);
    }
}

ExploreOptions options_of(const Scenario& scenario, const Settings& settings) {
    ExploreOptions options = scenario.options;
    options.seed = settings.seed.has_value() ? settings.seed : options.seed;
    options.runs_max = settings.runs.value_or(options.runs_max);
    options.time_limit = settings.time.value_or(options.time_limit);
    options.strategy = settings.strategy.value_or(options.strategy);
    options.shrink = options.shrink && settings.shrink;
    options.out = settings.out;
    return options;
}

std::string describe(const Settings& settings) {
    constexpr const char* own = "each scenario's own";
    const auto time = settings.time.value_or(std::chrono::nanoseconds(0));
    std::string strategy = own;
    if (settings.strategy.has_value()) {
        strategy = describe(*settings.strategy).name;
    }
    return fmt::format("settings: runs {}, time {}, strategy {}, jobs {}, seed {}, tapes in {}{}{}",
                       settings.runs.has_value() ? std::to_string(*settings.runs) : own,
                       settings.time.has_value()
                           ? fmt::format("{}ms", std::chrono::duration_cast<std::chrono::milliseconds>(time).count())
                           : own,
                       strategy, settings.jobs, settings.seed.has_value() ? std::to_string(*settings.seed) : own, settings.out,
                       settings.stack_size_text.empty() ? "" : ", stacks of " + settings.stack_size_text,
                       settings.shrink ? "" : ", nothing is shrunk");
}

}  // namespace mishap::detail
