#pragma once

#include <cstdint>

#include <mishap/loop/detail/ready_set.hpp>
#include <mishap/sim/entity.hpp>

namespace mishap::detail {

class HandleBase;

/// What a ready entry is: a task to be resumed, or a callback to be called.
struct Ready : ReadyEntry {
    bool is_task_entry = false;
    WakeReason wake = WakeReason::start;
    EntityStep enabled_by;
};

/// The part of an entity that lasts from step to step.
struct EntityState {
    std::uint64_t key = 0;
    std::uint32_t step = 0;  // steps begun so far
    std::uint64_t creator = 0;
    std::uint64_t chain = 0;  // of the fingerprint
};

/// Callbacks that keep their order among themselves: only the first of them can be chosen to go next.
struct Lane {
    EntityState entity;
    HandleBase* first = nullptr;
    HandleBase* last = nullptr;
};

}  // namespace mishap::detail
