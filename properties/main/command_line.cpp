// The only translation unit that includes CLI11, because that compiles slowly.

#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <mishap/sim/errors.hpp>

#include "values.hpp"

namespace mishap::detail {

namespace {

constexpr const char* footer =
    "\nPATTERN is a glob, a part of a name, or a whole name. Options may stand anywhere; each has a variable for the\n"
    "environment (in brackets), and NO_COLOR=1 turns colours off.\n\n"
    "Exit codes: 0 nothing is wrong, 1 something was found, 2 wrong use, 3 mishap or determinism is at fault.";

Sweep read_kind(const std::string& word) {
    std::vector<std::string> words;
    for (const Sweep kind : {Sweep::cancel, Sweep::timeout, Sweep::fail}) {
        if (word == to_text(kind)) {
            return kind;
        }
        words.emplace_back(to_text(kind));
    }
    throw UsageError(fmt::format("--kind was given '{}'; it takes cancel, timeout or fail.{}", word,
                                 did_you_mean(close_matches(word, words))));
}

/// Returns what to say of words that nothing expects.
std::string describe_extras(const std::vector<std::string>& extras) {
    std::vector<std::string> names = {"--help", "--version", "--no-shrink", "--kind"};
    for (const Setting& setting : all_settings()) {
        names.emplace_back(setting.name);
    }
    const std::string& first = extras.front();
    const std::string name = first.substr(0, first.find('='));
    if (first.substr(0, 1) == "-") {
        return fmt::format("The option {} is unknown; --help lists what there is.{}", name,
                           did_you_mean(close_matches(name, names)));
    }
    return fmt::format("'{}' is one word too many, or no command: say list, run, sweep or replay; --help tells more.{}", first,
                       did_you_mean(close_matches(first, {"list", "run", "sweep", "replay"})));
}

}  // namespace

CommandLine read_command_line(int argument_count, const char* const* arguments) {
    CommandLine line;
    Settings& settings = line.settings;
    read_environment(settings);

    CLI::App app("Explores the scenarios in this program: finds schedules that break them, shrinks and replays them.");
    app.name(argument_count > 0 ? arguments[0] : "scenarios");
    app.set_help_flag("-h,--help", "Print this and leave");
    app.allow_extras();
    app.footer(footer);
    app.get_formatter()->column_width(26);
    bool asks_version = false;
    bool asks_no_shrink = false;
    app.add_flag("--version", asks_version, "Print the version and leave");
    for (const Setting& setting : all_settings()) {
        // The variable was read already; here it is for the help only.
        app.add_option_function<std::string>(
               setting.name,
               [&settings, setting](const std::string& value) { setting.set(settings, value, setting.name); },
               fmt::format("{} [{}]", setting.help, setting.variable))
            ->type_name(setting.value);
    }
    app.add_flag("--no-shrink", asks_no_shrink, "Report the first failing run as it is");

    std::string replayed;
    CLI::App& list = *app.add_subcommand("list", "Name the scenarios, and where they are");
    CLI::App& run = *app.add_subcommand("run", "Explore the scenarios that match a PATTERN, or all");
    CLI::App& sweep = *app.add_subcommand("sweep", "Let every await of the scenarios go wrong, one in each run");
    CLI::App& replay = *app.add_subcommand("replay", "Play a replay LINE, or a tape file, once more");
    for (CLI::App* const command : {&list, &run, &sweep, &replay}) {
        command->fallthrough();
        command->set_help_flag();  // the whole help tells about the commands too
    }
    list.add_option("pattern", line.patterns)->type_name("PATTERN");
    run.add_option("pattern", line.patterns)->type_name("PATTERN");
    sweep.add_option("pattern", line.patterns)->type_name("PATTERN");
    std::string kind = "cancel";
    sweep.add_option("--kind", kind, "cancel, timeout or fail")->type_name("KIND");
    replay.add_option("line", replayed)->type_name("LINE");
    replay.add_flag("--export", line.exports, "replay: print the failure as a test case in C++");

    try {
        app.parse(argument_count, arguments);
    } catch (const CLI::CallForHelp&) {
        line.help = app.help();
        return line;
    } catch (const CLI::ParseError& error) {
        throw UsageError(fmt::format("The command line is not understood: {}. --help tells what there is.", error.what()));
    }
    settings.shrink = !asks_no_shrink;
    if (const std::vector<std::string> extras = app.remaining(true); !extras.empty()) {
        throw UsageError(describe_extras(extras));
    }
    if (asks_version) {
        line.command = Command::version;
    } else if (list.parsed() + run.parsed() + sweep.parsed() + replay.parsed() != 1) {
        throw UsageError("Say what to do: list, run, sweep or replay (one of them); --help tells more.");
    } else if (replay.parsed()) {
        if (replay.count("line") == 0) {
            throw UsageError("replay needs the line or the tape file that a failing run has printed.");
        }
        line.command = Command::replay;
        line.replayed = replayed;
    } else {
        line.command = list.parsed() ? Command::list : sweep.parsed() ? Command::sweep : Command::run;
        settings.sweep = sweep.parsed() ? read_kind(kind) : Sweep::off;
    }
    return line;
}

}  // namespace mishap::detail
