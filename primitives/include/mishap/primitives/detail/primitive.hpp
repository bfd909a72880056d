#pragma once

#include <mishap/primitives/detail/run_object.hpp>
#include <mishap/primitives/detail/wait_queue.hpp>

namespace mishap::detail {

/// An object on which tasks wait, in one or more queues.
class Primitive : public RunObject {
public:
    virtual ~Primitive() = default;

    /// Says, for a report, what the waiters of one of its queues wait for and who could end their wait.
    virtual void explain(const WaitQueue& queue, WaitExplanation& explanation) const = 0;

protected:
    using RunObject::RunObject;
};

/// Returns what a report says of a state, and how many wait if any do: "locked, waiters:2".
std::string with_waiters(std::string state, std::size_t waiting);

}  // namespace mishap::detail
