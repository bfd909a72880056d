#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace mishap {

/// What kind of thing can be chosen to go next.
enum class EntityKind : std::uint8_t { task, lane, thread, timer, time };

/// Why an entity is ready.
enum class WakeReason : std::uint8_t {
    start,       // it has not run yet
    yield,       // it gave way of its own accord
    future,      // what it waited for is complete
    cancelled,   // what it waited for was cancelled
    callback,    // a callback was scheduled
    deadline,    // its deadline has come
    time_passes  // the clock may move although entities are ready
};

/// How a step ended, and so the state in which it left its entity.
enum class StepEnd : std::uint8_t { parked, yielded, finished };

const char* to_text(EntityKind kind);
const char* to_text(WakeReason reason);
const char* to_text(StepEnd end);

/// One step of one entity: the entity's key and the entity's own count, from 1.
struct EntityStep {
    std::uint64_t entity = 0;
    std::uint32_t step = 0;

    friend bool operator==(const EntityStep&, const EntityStep&) = default;
};

/// How a step uses an object. Two accesses of one object conflict unless both are reads or both commute.
enum class Access : std::uint8_t { read, write, update };

/// Which of the two orders an access belongs to: dependence of steps, happens-before, or both.
enum class Relation : std::uint8_t { conflict = 1, synchronisation = 2, both = 3 };

/// One entry of a footprint.
struct Touch {
    std::uint64_t object = 0;
    Access access = Access::read;
    Relation relation = Relation::both;
    std::uint8_t commuting_class = 0;  // accesses of one non-zero class commute with each other
    bool is_budget = false;            // the object counts injected mishaps (every consumer writes it)
};

/// What an entity will do when it goes next, as far as it has announced it.
struct Operation {
    std::uint64_t object = 0;
    Access access = Access::read;
    bool may_block = false;
};

/// The operations with which an entity's next step begins: what it has announced.
struct Announcement {
    std::array<Operation, 2> operations;
    std::uint32_t count = 0;

    Announcement() = default;
    explicit Announcement(const Operation& one) : operations{one}, count(1) {}
    Announcement(const Operation& one, const Operation& two) : operations{one, two}, count(2) {}
    std::span<const Operation> span() const { return {operations.data(), count}; }
};

}  // namespace mishap
