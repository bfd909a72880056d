#include <mishap/loop/detail/waitable.hpp>

namespace mishap::detail {

void Waitable::remove_listener(Listener& listener) {
    Listener* before = nullptr;
    for (Listener* at = first_; at != nullptr; before = at, at = at->next) {
        if (at == &listener) {
            (before != nullptr ? before->next : first_) = at->next;
            if (last_ == at) {
                last_ = before;
            }
            return;
        }
    }
}

}  // namespace mishap::detail
