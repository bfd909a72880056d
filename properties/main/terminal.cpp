#include "terminal.hpp"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

namespace mishap::detail {

std::string coloured(const std::string& text, Colour colour) {
    const char* const no_color = std::getenv("NO_COLOR");
    const bool is_wanted = ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
    if (!is_wanted || colour == Colour::plain) {
        return text;
    }
    return fmt::format("\x1b[{}m{}\x1b[0m", colour == Colour::good ? 32 : 31, text);
}

std::string count_of(std::uint64_t count, const char* one) {
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string rate_text(std::uint64_t runs, std::chrono::nanoseconds elapsed) {
    const double rate = elapsed.count() > 0 ? static_cast<double>(runs) * 1e9 / static_cast<double>(elapsed.count()) : 0.0;
    return rate >= 1e6 ? fmt::format("{:.2f}M", rate / 1e6) : rate >= 1e4 ? fmt::format("{:.1f}k", rate / 1e3)
                                                                          : fmt::format("{:.0f}", rate);
}

ProgressLine::ProgressLine(std::string name) : name_(std::move(name)), is_terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(const Progress& progress) {
    if (!is_terminal_) {
        return;
    }
    const double elapsed_s = std::chrono::duration<double>(progress.elapsed).count();
    const std::string line = fmt::format("\r\x1b[K{}  {}, {} distinct, {} runs/s, {:.1f}s", name_, count_of(progress.runs, "run"),
                                         progress.digests, rate_text(progress.runs, progress.elapsed), elapsed_s);
    std::fputs(line.c_str(), stderr);
    std::fflush(stderr);
    is_dirty_ = true;
}

void ProgressLine::clear() {
    if (is_dirty_) {
        std::fputs("\r\x1b[K", stderr);
        std::fflush(stderr);
        is_dirty_ = false;
    }
}

}  // namespace mishap::detail
