#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <mishap/sim/explorer.hpp>

namespace mishap::detail {

enum class Colour { plain, good, bad };

/// Returns `text` in a colour if standard output is a terminal and NO_COLOR is not set.
std::string coloured(const std::string& text, Colour colour);

/// Returns "1 run" or "2 runs".
std::string count_of(std::uint64_t count, const char* one);

/// Returns runs a second, as short as it is worth reading: "850", "12.3k", "1.25M".
std::string rate_text(std::uint64_t runs, std::chrono::nanoseconds elapsed);

/// A line on standard error that is written again and again while a search runs; nothing unless that is a terminal.
class ProgressLine {
public:
    explicit ProgressLine(std::string name);
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    bool is_shown() const { return is_terminal_; }
    void show(const Progress& progress);
    /// Makes room for other output.
    void clear();

private:
    std::string name_;
    bool is_terminal_;
    bool is_dirty_ = false;
};

}  // namespace mishap::detail
