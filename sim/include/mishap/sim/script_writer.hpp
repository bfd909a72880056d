#pragma once

#include <cstdint>

#include <mishap/sim/explorer.hpp>
#include <mishap/sim/script.hpp>

namespace mishap {

/// A failing run as a script.
struct WrittenScript {
    Script script;
    bool reproduces = false;  // playing it fails as the run did; otherwise only the run's tape repeats it
    std::uint64_t runs = 0;
};

/// Writes the run on `tape`, which fails with `signature`, as a script, and leaves out what the failure does not need.
///
/// A scheduling mishap "x instead of y" becomes "x before y and before all others that would have come first". That is the
/// same run: nobody is held back before that question, because who was still there to be chosen then had not been chosen
/// before. The run is made with each constraint left out in turn, at most `runs_max` times in all.
WrittenScript write_script(Program& program, World& world, const Tape& tape, const std::string& signature,
                           std::uint64_t runs_max = 100);

/// Plays `script` as far as possible; `observer`, if any, is told the events.
struct PlayedScript {
    Replayed run;
    std::size_t met = 0;                // constraints
    std::vector<std::string> problems;  // a line for each that was not met
};
PlayedScript play_script(Program& program, World& world, const Script& script,
                         ScriptFit fit = ScriptFit::as_far_as_possible, Observer* observer = nullptr);

}  // namespace mishap
