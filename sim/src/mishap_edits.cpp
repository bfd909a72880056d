#include <mishap/sim/detail/mishap_edits.hpp>

#include <algorithm>
#include <charconv>
#include <functional>

#include <fmt/format.h>

namespace mishap::detail {

namespace {

/// Returns a path without ordinals and numbers of copies: what tasks have in common that the same code made.
std::string kin(std::string_view path) {
    std::string result;
    bool is_in_number = false;
    for (const char c : path) {
        is_in_number = c == '/' ? false : is_in_number || c == '#' || c == '~';
        if (!is_in_number) {
            result += c;
        }
    }
    return result;
}

/// Calls `f(path, step)` for every entity that a mishap is about.
template <class Mishaps, class F>
void for_each_entity(Mishaps& mishaps, F&& f) {
    for (auto& mishap : mishaps) {
        f(mishap.who, mishap.mishap.who);
        if (mishap.mishap.kind == ChoiceKind::schedule) {
            f(mishap.calm, mishap.mishap.calm);
        }
    }
}

std::vector<std::string> mentioned_in(const MishapTexts& mishaps) {
    std::vector<std::string> paths;
    for_each_entity(mishaps, [&](const std::string& path, const EntityStep&) {
        if (std::find(paths.begin(), paths.end(), path) == paths.end()) {
            paths.push_back(path);
        }
    });
    return paths;
}

/// Returns the names by which steps may move together: each entity's own, then each shared one, then none, for all.
struct Group {
    std::string name;
    bool is_kin = false;

    bool holds(const std::string& path) const { return is_kin ? name.empty() || kin(path) == name : path == name; }
};

std::vector<Group> groups_of(const MishapTexts& mishaps) {
    std::vector<Group> groups;
    const std::vector<std::string> paths = mentioned_in(mishaps);
    for (const std::string& path : paths) {
        groups.push_back({path, false});
    }
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const auto is_like = [&](const std::string& other) { return kin(other) == kin(paths[i]); };
        const bool is_first = std::none_of(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(i), is_like);
        if (is_first && std::count_if(paths.begin(), paths.end(), is_like) > 1) {
            groups.push_back({kin(paths[i]), true});
        }
    }
    if (paths.size() > 1) {
        groups.push_back({"", true});
    }
    return groups;
}

/// Returns the steps at which mishaps mention entities of `group`, smallest first.
std::vector<std::uint32_t> steps_of(const MishapTexts& mishaps, const Group& group) {
    std::vector<std::uint32_t> steps;
    for_each_entity(mishaps, [&](const std::string& path, const EntityStep& step) {
        if (group.holds(path)) {
            steps.push_back(step.step);
        }
    });
    std::sort(steps.begin(), steps.end());
    steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
    return steps;
}

/// Returns the mishaps with every path replaced by what `rename` makes of it.
MishapTexts renamed(const MishapTexts& mishaps, const std::function<std::string(const std::string&)>& rename) {
    MishapTexts result = mishaps;
    for_each_entity(result, [&](std::string& path, EntityStep& step) {
        if (std::string other = rename(path); other != path) {
            path = std::move(other);
            step.entity = path_key(path);
        }
    });
    return result;
}

/// Returns `path` with `to` instead of `from`, if it is that path or begins with it.
std::string with_ancestor(const std::string& path, const std::string& from, const std::string& to) {
    const bool is_it = path.compare(0, from.size(), from) == 0 && (path.size() == from.size() || path[from.size()] == '/');
    return is_it ? to + path.substr(from.size()) : path;
}

/// A number in a path: what stands before it, and the number.
struct Numbered {
    std::string stem;  // with its mark: "main/task#"
    std::uint32_t number = 0;

    friend bool operator==(const Numbered&, const Numbered&) = default;
};

/// Returns the numbers in the paths that the mishaps mention, those of ancestors too.
std::vector<Numbered> numbers_in(const std::vector<std::string>& paths) {
    std::vector<Numbered> result;
    for (const std::string& path : paths) {
        for (std::size_t mark = path.find_first_of("#~"); mark != std::string::npos; mark = path.find_first_of("#~", mark + 1)) {
            Numbered numbered{path.substr(0, mark + 1), 0};
            std::from_chars(path.data() + mark + 1, path.data() + path.size(), numbered.number);
            if (numbered.number != 0 && std::find(result.begin(), result.end(), numbered) == result.end()) {
                result.push_back(std::move(numbered));
            }
        }
    }
    return result;
}

/// Returns `path` with the number behind `from.stem` changed by `delta`, if it is no smaller than `from.number`.
std::string counted_on(const std::string& path, const Numbered& from, int delta) {
    std::uint32_t number = 0;
    if (path.compare(0, from.stem.size(), from.stem) != 0) {
        return path;
    }
    const char* const end = path.data() + path.size();
    const auto [stop, error] = std::from_chars(path.data() + from.stem.size(), end, number);
    if (error != std::errc() || number < from.number || (stop != end && *stop != '/')) {
        return path;
    }
    return fmt::format("{}{}{}", from.stem, static_cast<int>(number) + delta, std::string_view(stop, static_cast<std::size_t>(end - stop)));
}

void add_swaps(const MishapTexts& mishaps, const std::vector<std::string>& known, std::vector<MishapTexts>& result) {
    for (const std::string& one : mentioned_in(mishaps)) {
        for (const std::string& other : known) {
            if (one != other && kin(one) == kin(other)) {
                result.push_back(renamed(mishaps, [&](const std::string& path) {
                    const std::string swapped = with_ancestor(path, one, other);
                    return swapped != path ? swapped : with_ancestor(path, other, one);
                }));
            }
        }
    }
}

void add_counted_on(const MishapTexts& mishaps, std::vector<MishapTexts>& result) {
    for (const Numbered& from : numbers_in(mentioned_in(mishaps))) {
        for (const int delta : {1, -1, 2}) {
            if (static_cast<int>(from.number) + delta >= 1) {
                result.push_back(
                    renamed(mishaps, [&](const std::string& path) { return counted_on(path, from, delta); }));
            }
        }
    }
}

void add_replacements(const MishapTexts& mishaps, const std::vector<std::string>& known, std::vector<MishapTexts>& result) {
    const std::vector<std::string> mentioned = mentioned_in(mishaps);
    const auto is_in = [](const std::vector<std::string>& paths, const std::string& path) {
        return std::find(paths.begin(), paths.end(), path) != paths.end();
    };
    for (const std::string& missing : mentioned) {
        if (is_in(known, missing) || missing.empty()) {
            continue;
        }
        for (const std::string& other : known) {
            if (!is_in(mentioned, other)) {
                result.push_back(
                    renamed(mishaps, [&](const std::string& path) { return with_ancestor(path, missing, other); }));
            }
        }
    }
}

}  // namespace

std::vector<MishapTexts> with_moved_steps(const MishapTexts& mishaps) {
    std::vector<MishapTexts> result;
    const std::vector<Group> groups = groups_of(mishaps);
    for (const int delta : {1, -1, 2, -2, 3}) {
        for (const Group& group : groups) {
            for (const std::uint32_t first : steps_of(mishaps, group)) {
                if (static_cast<int>(first) + delta < 1) {
                    continue;
                }
                MishapTexts moved = mishaps;
                for_each_entity(moved, [&](const std::string& path, EntityStep& step) {
                    if (group.holds(path) && step.step >= first) {
                        step.step = static_cast<std::uint32_t>(static_cast<int>(step.step) + delta);
                    }
                });
                result.push_back(std::move(moved));
            }
        }
    }
    return result;
}

std::vector<MishapTexts> with_other_names(const MishapTexts& mishaps, const std::vector<std::string>& known) {
    std::vector<MishapTexts> result;
    add_swaps(mishaps, known, result);
    add_counted_on(mishaps, result);
    add_replacements(mishaps, known, result);
    return result;
}

Script as_script(const MishapTexts& mishaps) {
    Script script;
    for (const MishapText& text : mishaps) {
        const Mishap& mishap = text.mishap;
        Constraint constraint;
        constraint.kind = mishap.kind;
        constraint.place = {text.who, mishap.who.step};
        if (mishap.kind == ChoiceKind::schedule) {
            constraint.held.push_back({text.calm, mishap.calm.step});
        } else {
            constraint.answer = mishap.taken;
            constraint.label = hash_text(text.label) == mishap.label ? text.label : std::string();
        }
        script.push_back(std::move(constraint));
    }
    return script;
}

}  // namespace mishap::detail
