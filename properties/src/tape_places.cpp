#include <mishap/properties/detail/tape_places.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <mishap/sim/detail/files.hpp>
#include <mishap/sim/hash.hpp>
#include <mishap/sim/mapped_tape.hpp>
#include <mishap/sim/path.hpp>

namespace mishap::detail {

std::filesystem::path tape_folder(const std::string& out, const std::string& scenario) {
    std::filesystem::path folder(out);
    for (const std::filesystem::path& part : std::filesystem::path(scenario)) {
        // A scenario's name is no path: it must not lead out of the folder.
        const bool is_upward = part == "." || part == "..";
        folder /= is_upward ? std::string(part.string().size(), '_') : path_segment(part.string());
    }
    return folder;
}

std::filesystem::path tape_path(const std::string& out, const std::string& scenario, const Finding& finding) {
    return tape_folder(out, scenario) / fmt::format("{:016x}.tape", hash_text(finding.signature()));
}

std::filesystem::path in_flight_path(const std::string& out, const std::string& scenario, pid_t process) {
    return tape_folder(out, scenario) / fmt::format("in-flight-{}.tape", process);
}

TapeFile read_any_tape(const std::filesystem::path& path) {
    constexpr std::string_view mapped = "mishapT";
    return read_file(path, mapped.size()) == mapped ? recover_mapped_tape(path) : read_tape_file(path);
}

std::string shell_word(std::string_view text) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_-./+,:@%=").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) {
        return std::string(text);
    }
    std::string word = "'";
    for (const char c : text) {
        word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return word + "'";
}

}  // namespace mishap::detail
