// A failure as C++ that can be pasted into a test file.

#include <mishap/properties/report.hpp>

#include <fmt/format.h>

namespace mishap {

namespace {

/// Returns a duration in its largest unit that loses nothing, without literals that would need a using-directive.
std::string duration(std::chrono::nanoseconds value) {
    struct Unit {
        std::int64_t ns;
        const char* name;
    };
    for (const Unit unit : {Unit{1'000'000'000, "seconds"}, Unit{1'000'000, "milliseconds"}, Unit{1'000, "microseconds"}}) {
        if (value.count() % unit.ns == 0) {
            return fmt::format("std::chrono::{}({})", unit.name, value.count() / unit.ns);
        }
    }
    return fmt::format("std::chrono::nanoseconds({})", value.count());
}

/// Returns what differs from the defaults, as designated initializers in the order of the members.
std::vector<std::string> initializers(const ExploreOptions& options) {
    const ExploreOptions defaults;
    std::vector<std::string> result = {fmt::format(".name = {}", detail::cpp_literal(options.name))};
    const auto add = [&](bool differs, const char* name, const std::string& value) {
        if (differs) {
            result.push_back(fmt::format(".{} = {}", name, value));
        }
    };
    add(options.order != defaults.order, "order", "mishap::Order::fifo");
    add(options.cancellations != 0, "cancellations", std::to_string(options.cancellations));
    add(options.cancel_everywhere, "cancel_everywhere", "true");
    add(options.forced_yields != 0, "forced_yields", std::to_string(options.forced_yields));
    add(options.time_passes != 0, "time_passes", std::to_string(options.time_passes));
    add(options.timer_slack != defaults.timer_slack, "timer_slack", duration(options.timer_slack));
    add(options.steps_max != defaults.steps_max, "steps_max", std::to_string(options.steps_max));
    add(options.time_max != defaults.time_max, "time_max", duration(options.time_max));
    add(options.livelock_steps != defaults.livelock_steps, "livelock_steps", std::to_string(options.livelock_steps));
    add(options.overtaken_max != defaults.overtaken_max, "overtaken_max", std::to_string(options.overtaken_max));
    return result;
}

std::vector<std::string> last_initializers(const ExploreOptions& options) {
    const ExploreOptions defaults;
    const auto detect = [](Detect value) {
        return value == Detect::off ? "mishap::Detect::off" : value == Detect::note ? "mishap::Detect::note" : "mishap::Detect::finding";
    };
    std::vector<std::string> result;
    if (options.leaks_are_findings) {
        result.emplace_back(".leaks_are_findings = true");
    }
    if (options.races != defaults.races) {
        result.push_back(fmt::format(".races = {}", detect(options.races)));
    }
    if (options.lost_updates != defaults.lost_updates) {
        result.push_back(fmt::format(".lost_updates = {}", detect(options.lost_updates)));
    }
    return result;
}

std::string script_text(const Script& script) {
    std::string text = ".script = {";
    for (std::size_t i = 0; i < script.size(); ++i) {
        text += fmt::format("{}{}", i == 0 ? "" : ",\n                              ", to_text(script[i]));
    }
    return text + "}";
}

}  // namespace

std::string Report::to_cpp_test(std::string_view body) const {
    const std::string title = finding.has_value() ? finding->what : "the recorded schedule passes";
    std::string text;
    text += fmt::format("// {}\n", headline());
    if (!replay_line.empty()) {
        text += fmt::format("// {}\n", replay_line);
    }
    // A semicolon would end the name in a list of CMake's.
    std::string name_of_test = fmt::format("{}: {}", name, title);
    for (char& c : name_of_test) {
        c = c == ';' ? ',' : c;
    }
    text += fmt::format("TEST_CASE({}) {{\n", detail::cpp_literal(name_of_test));
    const bool is_script = !script.empty();
    if (is_script || mishaps.empty()) {
        std::vector<std::string> lines = initializers(options);
        if (is_script) {
            lines.push_back(script_text(script));
            lines.emplace_back(".script_fit = mishap::ScriptFit::as_far_as_possible");
        } else {
            lines.emplace_back(".runs_max = 1");  // the calm run fails
        }
        for (std::string& line : last_initializers(options)) {
            lines.push_back(std::move(line));
        }
        std::string members;
        for (const std::string& line : lines) {
            members += fmt::format("{}{}", members.empty() ? "" : ",\n                   ", line);
        }
        for (const char* const function : {"at", "at_tick"}) {
            const bool is_used = members.find(fmt::format("{}(", function)) != std::string::npos;
            text += is_used ? fmt::format("    using mishap::{};\n", function) : std::string();
        }
        text += options.reset ? "    // What was explored had a `reset`: give it here as well.\n" : "";
        text += fmt::format("    mishap::check({},\n                  {{{}}});\n", body, members);
    } else {
        // More mishaps than anybody wants to read, or none that constraints can tell.
        text += fmt::format("    const mishap::Report report = mishap::replay({},\n                                                 {});\n"
                            "    INFO(report.to_text());\n    CHECK(report.passed());\n",
                            detail::cpp_literal(replay_line), body);
    }
    return text + "}\n";
}

}  // namespace mishap
