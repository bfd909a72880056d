#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <mishap/sim/errors.hpp>
#include <mishap/sim/prng.hpp>
#include <mishap/sim/tape_file.hpp>

namespace mishap::samples {

/// Removes what a test wrote.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "mishap-test-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    std::filesystem::path operator/(const char* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// Returns what the UsageError says that `call` throws, or "" when it throws none.
template <class Call>
std::string usage_error(Call call) {
    try {
        call();
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

/// Returns whether `text` stands in `whole`.
inline bool holds(const std::string& whole, const std::string& text) {
    return whole.find(text) != std::string::npos;
}

/// Draws any bytes, often those that the grammar of tapes uses.
inline std::string random_text(Prng& prng, std::uint32_t length_max) {
    constexpr std::string_view marks = "/#~%:,<=@[].?'\"\\ \n-0123456789abcdef";
    std::string text;
    for (std::uint32_t length = prng.below(length_max + 1); length > 0; --length) {
        text += prng.below(2) == 0 ? marks[prng.below(static_cast<std::uint32_t>(marks.size()))]
                                   : static_cast<char>(prng.below(256));
    }
    return text;
}

inline std::string random_path(Prng& prng) {
    if (prng.below(8) == 0) return "";
    std::string path = "main";
    for (std::uint32_t depth = prng.below(4); depth > 0; --depth) {
        switch (prng.below(3)) {
            case 0:
                path += "/task#" + std::to_string(prng.below(1000));
                break;
            case 1:
                path += "/" + path_segment("n" + random_text(prng, 8));
                break;
            default:
                path += "/worker~" + std::to_string(2 + prng.below(5));
                break;
        }
    }
    return path;
}

inline EntityStep step_of(const std::string& path, Prng& prng) {
    return {path_key(path), static_cast<std::uint32_t>(prng.next() >> (32 + prng.below(32)))};
}

inline MishapText random_mishap(Prng& prng) {
    MishapText text;
    text.mishap.kind = static_cast<ChoiceKind>(1 + prng.below(7));
    text.who = random_path(prng);
    text.mishap.who = step_of(text.who, prng);
    if (text.mishap.kind == ChoiceKind::schedule) {
        text.calm = random_path(prng);
        text.mishap.calm = step_of(text.calm, prng);
        return text;
    }
    text.mishap.ordinal = prng.below(3);
    text.mishap.classes = 2 + prng.below(4);
    text.mishap.taken = 1 + prng.below(text.mishap.classes - 1);
    if (prng.below(2) == 0) {
        text.label = "n" + random_text(prng, 10);
        text.mishap.label = hash_text(text.label);
    }
    return text;
}

inline std::vector<MishapText> random_mishaps(Prng& prng) {
    std::vector<MishapText> mishaps;
    for (std::uint32_t count = prng.below(6); count > 0; --count) {
        mishaps.push_back(random_mishap(prng));
    }
    return mishaps;
}

inline WorldOptions random_options(Prng& prng) {
    WorldOptions options;
    options.order = prng.below(2) == 0 ? Order::any : Order::fifo;
    options.cancellations = prng.below(3);
    options.cancel_everywhere = prng.below(2) == 0;
    options.forced_yields = prng.below(3);
    options.time_passes = prng.below(3);
    if (prng.below(2) == 0)
        options.timer_slack = std::chrono::nanoseconds(prng.next() >> (1 + prng.below(63)));
    if (prng.below(2) == 0) options.steps_max = prng.next();
    if (prng.below(2) == 0) options.time_max = std::chrono::milliseconds(prng.below(100'000));
    return options;
}

inline Tape random_tape(Prng& prng, std::uint32_t length_max) {
    Tape tape;
    for (std::uint32_t length = prng.below(length_max + 1); length > 0; --length) {
        const std::uint32_t classes = 2 + prng.below(5);
        tape.push_back({static_cast<std::uint32_t>(prng.next()), classes, prng.below(classes),
                        static_cast<ChoiceKind>(1 + prng.below(7))});
    }
    return tape;
}

inline TapeFile random_file(Prng& prng) {
    TapeFile file;
    file.scenario = random_text(prng, 12);
    file.options = random_options(prng);
    file.build = random_text(prng, 12);
    file.found = random_text(prng, 12);
    file.mishaps = random_mishaps(prng);
    file.dense = random_tape(prng, 20);
    file.digest = prng.next();
    file.steps = prng.next();
    return file;
}

inline bool same_options(const WorldOptions& a, const WorldOptions& b) {
    return a.order == b.order && a.cancellations == b.cancellations &&
           a.cancel_everywhere == b.cancel_everywhere && a.forced_yields == b.forced_yields &&
           a.time_passes == b.time_passes && a.timer_slack == b.timer_slack && a.steps_max == b.steps_max &&
           a.time_max == b.time_max;
}

/// Returns `text` with one byte changed, taken out or put in, or its end cut off.
inline std::string mutated(std::string text, Prng& prng) {
    const std::size_t at = text.empty() ? 0 : prng.below64(text.size());
    const char byte = static_cast<char>(prng.below(256));
    switch (text.empty() ? 1 : prng.below(4)) {
        case 0:
            text[at] = byte;
            break;
        case 1:
            text.insert(at, 1, byte);
            break;
        case 2:
            text.erase(at, 1 + prng.below(5));
            break;
        default:
            text.resize(at);
            break;
    }
    return text;
}

}  // namespace mishap::samples
