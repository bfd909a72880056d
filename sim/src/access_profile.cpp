#include <mishap/sim/detail/access_profile.hpp>

#include <algorithm>

#include <mishap/sim/detail/memory_key.hpp>

namespace mishap::detail {

void AccessProfile::learn(const Step& step) {
    const EntityStep who = step.entity;
    if (step.kind == EntityKind::thread && !has_threads_) {
        has_threads_ = true;
        std::erase(shared_, unknown_memory_key);
    }
    // To wait for an end is no use of a shared object: there is one order only.
    const bool is_join = std::any_of(step.pending.begin(), step.pending.end(), [](const Operation& operation) {
        return operation.may_block && operation.access == Access::read;
    });
    for (const Touch& touch : step.footprint) {
        const bool is_own_callback = step.kind == EntityKind::lane && touch.object == who.entity;
        // What threads share is tracked; the loop's own steps go before them and after.
        const bool is_of_loop = touch.object == unknown_memory_key && has_threads_;
        if (!is_access(touch) || is_own_callback || is_of_loop || (is_join && touch.access == Access::read)) {
            continue;
        }
        std::vector<Accessor>& accessors = objects_[touch.object];
        auto found = std::find_if(accessors.begin(), accessors.end(),
                                  [&](const Accessor& accessor) { return accessor.entity == who.entity; });
        if (found == accessors.end()) {
            Accessor accessor;
            accessor.entity = who.entity;
            accessors.push_back(std::move(accessor));
            found = accessors.end() - 1;
            if (accessors.size() == 2) {
                shared_.push_back(touch.object);
            }
        }
        Accessor& accessor = *found;
        if (accessor.run != run_) {
            accessor.run = run_;
            accessor.steps_now = 0;
            accessor.step_last = 0;
        }
        if (accessor.step_last == who.step) {
            continue;  // a second access in the same step
        }
        accessor.step_last = who.step;
        accessor.steps_most = std::max(accessor.steps_most, ++accessor.steps_now);
        const auto place = std::lower_bound(accessor.steps.begin(), accessor.steps.end(), who.step);
        if (place == accessor.steps.end() || *place != who.step) {
            accessor.steps.insert(place, who.step);
        }
    }
}

std::span<const AccessProfile::Accessor> AccessProfile::accessors(std::uint64_t object) {
    const std::vector<Accessor>* const found = objects_.find(object);
    return found != nullptr ? std::span<const Accessor>(*found) : std::span<const Accessor>();
}

}  // namespace mishap::detail
