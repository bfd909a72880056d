#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/sim/choice.hpp>

namespace mishap {

// A script says in words of the program how one run shall go:
//
//     {at("main/worker", "read done").before("main/reader", 1), at("main/a", 2).cancelled()}
//
// It holds nobody to a whole order: what no constraint speaks of is calm.

/// A place in the life of one entity: a step of its own, or a checkpoint.
///
/// As a place to be *passed* a step is passed when it has been made, and a checkpoint when the program comes to it. As a
/// place to be *held at* a step is not begun; a checkpoint is reached, and the step after it is not begun, because a
/// checkpoint is no place where a task could be interrupted.
struct ScriptPlace {
    std::string path;         // of the entity, as reports write it: "main/worker", "main/task#2"
    std::uint32_t step = 0;   // the entity's own, from 1; 0: the checkpoint counts
    std::string checkpoint = {};
    std::uint32_t occurrence = 1;  // of the checkpoint in this entity, from 1

    friend bool operator==(const ScriptPlace&, const ScriptPlace&) = default;
};

/// One line of a script: what happens at a place, or what has to wait until somebody has passed it.
struct Constraint {
    static constexpr std::uint32_t any_question = 0xffff'ffffU;

    /// `schedule`: those `held` wait for `place`. All others: the question of this kind that is asked there gets `answer`;
    /// `value` stands for the questions of the program itself, choose(), chance() and fault().
    ChoiceKind kind = ChoiceKind::schedule;
    ScriptPlace place;
    std::vector<ScriptPlace> held = {};
    std::string label = {};                 // of a question that has a name; empty: any
    std::uint32_t question = any_question;  // which question of the step, from 0
    std::uint32_t answer = 1;

    /// Makes another entity wait as well.
    Constraint before(std::string_view path, std::uint32_t step) const;
    Constraint before(std::string_view path, std::string_view checkpoint, std::uint32_t occurrence = 1) const;

    friend bool operator==(const Constraint&, const Constraint&) = default;
};

/// How one run shall go.
using Script = std::vector<Constraint>;

/// What becomes of a constraint that cannot be kept.
enum class ScriptFit : std::uint8_t {
    whole,              // it is a finding: a test whose schedule does not come about tests nothing
    as_far_as_possible  // it is a note: for failures that were exported, whose repair may well forbid their schedule
};

/// A place from which a constraint is made.
class At {
public:
    explicit At(ScriptPlace place) : place_(std::move(place)) {}

    /// `path` begins its step `step` only when this place has been passed.
    Constraint before(std::string_view path, std::uint32_t step) const;
    /// `path` goes no further than its checkpoint until this place has been passed.
    Constraint before(std::string_view path, std::string_view checkpoint, std::uint32_t occurrence = 1) const;

    /// This step begins with a cancellation, as if somebody had called `cancel()` after the task was woken. At a
    /// checkpoint: the first step after it that can.
    Constraint cancelled() const;
    /// A wait of this step that could go on at once lets the others go first; `question` tells it from other questions.
    Constraint yields(std::uint32_t question = Constraint::any_question) const;
    /// Its next await goes wrong, in the way that the option `sweep` says.
    Constraint goes_wrong(std::uint32_t question = Constraint::any_question) const;
    /// The question `label` of choose(), chance() or fault() gets `answer`; 1 is a chance taken, a fault that strikes.
    Constraint gets(std::string_view label, std::uint32_t answer,
                    std::uint32_t question = Constraint::any_question) const;
    /// This tick of the clock, see `at_tick`, makes `count` further deadlines due that lie within the slack.
    Constraint makes_further_due(std::uint32_t count) const;

private:
    ScriptPlace place_;
};

/// Names a step of an entity, from 1.
At at(std::string_view path, std::uint32_t step);
/// Names a checkpoint, where an entity comes to it for the `occurrence`-th time.
At at(std::string_view path, std::string_view checkpoint, std::uint32_t occurrence = 1);
/// Names the `number`-th move of the clock, from 1; `at_tick(1).before("main/a", 2)` lets time pass although main/a is ready.
At at_tick(std::uint32_t number);

/// Returns the constraint as C++: `at("main/worker", "read done").before("main/reader", 1)`.
std::string to_text(const Constraint& constraint);

/// Returns a problem with the script that can be told without a run, or nothing.
std::string problem_with(const Script& script);

namespace detail {

/// The path by which scripts name the clock; its key is that of the candidate "time passes".
inline constexpr std::string_view clock_path = "time#0";

/// Returns `text` as a C++ string literal.
std::string cpp_literal(std::string_view text);

}  // namespace detail
}  // namespace mishap
