#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/sim/mishap_text.hpp>
#include <mishap/sim/tape.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

/// A recorded run as a text file that reads well in a diff (docs/tape.md): both forms of its tape, and what
/// it needs.
struct TapeFile {
    int version = 1;       // of the format; files are written in version 1
    std::string scenario;  // empty for a program without a name
    WorldOptions options;
    std::string build;                // which build made it, see `build_name`
    std::string found;                // signature of the finding; empty when there is none
    std::vector<MishapText> mishaps;  // the sparse form: survives edits of the program
    Tape dense;                       // every answer, for strict replay of the same build
    std::uint64_t digest = 0;         // of the whole run; 0 when it did not end, as in a crash
    std::uint64_t steps = 0;          // of the whole run; 0 when it did not end
};

/// Returns the text of `file`.
std::string to_text(const TapeFile& file);

/// Returns what `text` says; `file_name` is for the errors.
///
/// Throws:    UsageError if `text` is not what `to_text` of this or an earlier version wrote, give or take
/// comments
///            (lines that begin with "# "), blank lines, indentation and line ends.
TapeFile parse_tape_file(std::string_view text, std::string_view file_name);

/// Writes `file` to `path`, aside and then renamed, so that nobody ever sees half of it. Makes the
/// directories.
///
/// Throws:    UsageError if the file system refuses.
void write_tape_file(const std::filesystem::path& path, const TapeFile& file);

/// Reads the file at `path`.
///
/// Throws:    UsageError if it cannot be read, or as `parse_tape_file`.
TapeFile read_tape_file(const std::filesystem::path& path);

}  // namespace mishap
