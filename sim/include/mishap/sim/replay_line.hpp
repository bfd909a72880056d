#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/sim/mishap_text.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

/// A replay as one line that can be pasted into a shell, a test or an issue (docs/tape.md):
/// `mishap1:<scenario>:<order>:<options>:<mishaps>:<crc>`.
struct ReplayLine {
    std::string scenario;  // empty for a program without a name
    WorldOptions options;
    std::vector<MishapText> mishaps;  // in the order in which they happened
};

/// The length up to which a line is worth printing; a longer one is better told as the path of a tape file.
inline constexpr std::size_t replay_line_length_max = 200;

/// Returns the line; it holds no blank and no quote, so single quotes protect it in every shell.
std::string to_line(const ReplayLine& replay);

/// Returns what `text` says; white space and one pair of quotes around it do not matter.
///
/// Throws:    UsageError if it is not exactly a line that `to_line` of this or an earlier version wrote.
ReplayLine parse_replay_line(std::string_view text);

/// Returns whether `text` means to be a replay line (and not, say, the path of a file).
bool is_replay_line(std::string_view text);

}  // namespace mishap
