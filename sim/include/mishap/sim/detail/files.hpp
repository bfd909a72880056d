#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace mishap::detail {

/// Returns at most the first `size_max` bytes of the file at `path`.
///
/// Throws:    UsageError if the file cannot be read.
std::string read_file(const std::filesystem::path& path, std::size_t size_max);

/// Writes `text` beside `path` and renames it into place; makes the directories above.
///
/// Throws:    UsageError if the file system refuses; nothing is then left behind.
void write_aside(const std::filesystem::path& path, std::string_view text);

/// Makes the directories above `path`.
///
/// Throws:    UsageError if the file system refuses.
void make_directories_for(const std::filesystem::path& path);

/// Says that the file system refused with `error`, a value of errno, when it was asked to `action` (as in
/// "read").
[[noreturn]] void refuse_file(const char* action, const std::filesystem::path& path, int error);

}  // namespace mishap::detail
