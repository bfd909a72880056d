#pragma once

namespace mishap::detail {

/// Keeps what belongs to a thread, and is never destroyed because handles may look at it late, reachable when the thread has
/// ended: a leak checker would take it for lost.
void keep_for_ever(const void* object);

/// Makes an object of this thread that is never destroyed.
template <class T, class... A>
T* make_immortal(A&&... arguments) {
    T* const object = new T(static_cast<A&&>(arguments)...);
    keep_for_ever(object);
    return object;
}

}  // namespace mishap::detail
