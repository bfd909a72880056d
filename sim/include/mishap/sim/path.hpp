#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>
#include <mishap/sim/prng.hpp>

namespace mishap {

// A task, timer, callback lane or object has a path: its creator's path, a slash, and either the name it was given
// (`main/worker`; the second of that name is `main/worker~2`) or its kind and its ordinal among its siblings of that
// kind (`main/task#2`). Its key is a hash of the path, computed from the creator's key in constant time; the text is
// made only where somebody reads it. Neither addresses nor places take part, so a path means the same in every run.

namespace detail {

inline constexpr std::uint64_t named_salt = 0x6e61'6d65'6421'0000U;

/// Returns the key of the `ordinal`-th nameless thing of a kind; `kind` is the hash of the kind's word.
constexpr std::uint64_t child_key(std::uint64_t creator, std::uint64_t kind, std::uint64_t ordinal) {
    return mix(creator, kind + ordinal * 0x9e37'79b9'7f4a'7c15U);
}

/// Returns the key of the `copy`-th thing (from 1) that `creator` gave one name; `name` is the hash of the name.
constexpr std::uint64_t named_key(std::uint64_t creator, std::uint64_t name, std::uint64_t copy = 1) {
    return mix(creator, (name ^ named_salt) + copy * 0x9e37'79b9'7f4a'7c15U);
}

/// The key of what stands left of every path.
inline constexpr std::uint64_t outside_key = 0;

/// The key of the program's first task.
inline constexpr std::uint64_t main_key = named_key(outside_key, hash_text("main"));

}  // namespace detail

/// Returns the key of the path `text`, which may begin with `?` and a key in 16 hexadecimal digits instead of names.
/// A text that is no path has a key too, one that nothing bears.
std::uint64_t path_key(std::string_view text);

/// Returns `name` as a path can carry it: everything but ASCII letters, digits and `_-.+*()` as `%xx`, so that a
/// path is one word in a shell and on a tape. `path_key` hashes what that stands for, so a key is made from the name.
std::string path_segment(std::string_view name);

/// Knows the texts of the keys that one run gave out. Filled on replay only.
class Names {
public:
    void put(std::uint64_t key, std::uint64_t creator, std::string segment);
    /// Returns the path of `key`, or `?` and its hexadecimal value when nobody told it.
    std::string path(std::uint64_t key) const;
    bool knows(std::uint64_t key) const { return entries_.contains(key); }
    void clear() { entries_.clear(); }

private:
    struct Entry {
        std::uint64_t creator = 0;
        std::string segment;
    };
    boost::unordered_flat_map<std::uint64_t, Entry> entries_;  // looked up only, never iterated
};

}  // namespace mishap
