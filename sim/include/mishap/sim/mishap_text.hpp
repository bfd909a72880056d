#pragma once

#include <span>
#include <string>
#include <vector>

#include <mishap/sim/mishap_list.hpp>
#include <mishap/sim/path.hpp>

namespace mishap {

/// A mishap as people, replay lines and tape files have it: its keys together with the texts they are hashes
/// of.
///
/// `who` and `calm` are paths, `label` is the question's own name. A text that is not known, or does not hash
/// to its key, is not trusted: the key itself is then written, as `?` and 16 hexadecimal digits.
struct MishapText {
    Mishap mishap;
    std::string who;
    std::string calm;   // of a scheduling mishap; empty otherwise
    std::string label;  // of a data question that has one; empty otherwise

    friend bool operator==(const MishapText&, const MishapText&) = default;
};

/// Returns `mishaps` with the texts that `names` knows. Members that mean nothing for a kind get their
/// defaults.
std::vector<MishapText> with_texts(const MishapList& mishaps, const Names& names);

/// Returns the mishaps without their texts, for playback.
MishapList without_texts(std::span<const MishapText> mishaps);

/// Returns the short form: `main/worker#3<main/reader#1`, `cancel@main/a#2`, `value@main/a#2.1=2/5[size]`.
std::string to_text(const MishapText& mishap);

/// Returns the short form in words: "main/worker's step 3 instead of main/reader's step 1".
std::string to_sentence(const MishapText& mishap);

}  // namespace mishap
