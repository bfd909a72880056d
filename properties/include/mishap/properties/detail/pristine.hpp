#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mishap/sim/explorer.hpp>

namespace mishap::detail {

/// A child process that was forked before the first run and can make one run as if it were the first.
///
/// What it replays it replays without anything that earlier runs left behind, so a program that keeps state in globals
/// gives another digest here.
class PristineChild {
public:
    struct Answer {
        std::uint64_t digest = 0;
        bool failed = false;
    };

    /// In the child a step that takes longer than `step_time_max` (real time, 0: any) ends the child.
    PristineChild(Program& program, World& world, const std::string& name, std::chrono::nanoseconds step_time_max);
    ~PristineChild();
    PristineChild(const PristineChild&) = delete;
    PristineChild& operator=(const PristineChild&) = delete;

    /// Replays `tape` strictly in the child. Can be asked once; nothing when the child died or could not be made.
    std::optional<Answer> replay(std::span<const Choice> tape);
    /// Returns the events of that replay, in words; can be asked once, after it.
    std::vector<std::string> events();

private:
    [[noreturn]] void serve(Program& program, World& world, const std::string& name, std::chrono::nanoseconds step_time_max);

    int socket_ = -1;
    int process_ = -1;
};

}  // namespace mishap::detail
