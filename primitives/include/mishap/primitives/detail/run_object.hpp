#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <mishap/loop/event_loop.hpp>

namespace mishap::detail {

/// What an object is called where it has no name of its own.
struct ObjectKind {
    const char* type;    // in sentences: "Lock"
    const char* word;    // in paths: "lock"
    std::uint64_t hash;  // of the word

    constexpr ObjectKind(const char* type_name, const char* path_word)
        : type(type_name), word(path_word), hash(hash_text(path_word)) {}
};

/// An object that footprints and reports know: it has a key in every run that uses it.
///
/// Made while a loop runs, it gets its key at once: that of its creator and an ordinal. What is made outside of runs,
/// and may be used in many, gets a key in each of them: that of its name, or, nameless, by its first use.
class RunObject {
public:
    RunObject(const RunObject&) = delete;
    RunObject& operator=(const RunObject&) = delete;

    /// Returns how a sentence speaks of it: "Lock 'm'", "Lock main/lock#2", or "a Lock".
    std::string describe() const;
    /// Returns its name, or the word for its kind: what is the same in every run that fails in the same way.
    std::string label() const;
    /// Returns whether it was used in the present run of `loop`.
    bool is_known_to(const EventLoop& loop) const { return run_ == loop.run_serial(); }

protected:
    RunObject(const ObjectKind& kind, std::string_view name);
    ~RunObject() = default;

    /// Returns the running loop for an operation that may wait; `operation` is named in the error.
    ///
    /// Throws:    UsageError outside a task.
    EventLoop& enter(const char* operation) const {
        EventLoop& loop = running_task_loop(operation);
        introduce(loop);
        return loop;
    }
    void introduce(EventLoop& loop) const {
        if (!is_known_to(loop)) [[unlikely]] {
            begin_run(loop);
        }
    }
    /// Records an access, after `enter`.
    void touch_in(EventLoop& loop, Access access, const char* operation, Place place = {}) const {
        loop.world().touch(cell_, access, operation, place);
    }
    /// As above, of one of the two orders only.
    void touch_only(EventLoop& loop, Access access, Relation relation, const char* operation, Place place = {}) const {
        loop.world().touch_as(cell_, {.access = access, .relation = relation}, operation, place);
    }
    /// As above, with the value that is read or written.
    void touch_value_in(EventLoop& loop, Access access, std::uint64_t value, const char* operation, Place place) const {
        loop.world().touch_value(cell_, access, static_cast<std::int64_t>(value), operation, place);
    }
    /// Where a wait for it would not suspend: see `EventLoop::maybe_yield`.
    void maybe_yield(EventLoop& loop, const char* operation, Place place) const { loop.maybe_yield(operation, place, cell_); }
    /// Records an access if a loop runs: what never waits may be used outside.
    void touch(Access access, const char* operation, Place place = {}) const {
        if (EventLoop* const loop = current_loop; loop != nullptr) {
            introduce(*loop);
            touch_in(*loop, access, operation, place);
        }
    }
    std::uint64_t key() const { return cell_.key; }

private:
    void begin_run(EventLoop& loop) const;

    // Of the run, not of the object: so a question such as `locked() const` may be an object's first use in a run.
    mutable Tracked cell_;
    mutable RunSerial run_ = no_run;
    bool is_made_outside_;
    const ObjectKind* kind_;
    const std::string* name_;  // null when none was given
};

}  // namespace mishap::detail
