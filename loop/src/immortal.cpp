#include <mishap/loop/detail/immortal.hpp>

#include <mutex>
#include <vector>

namespace mishap::detail {

void keep_for_ever(const void* object) {
    static std::mutex& mutex = *new std::mutex;
    static auto& objects = *new std::vector<const void*>;
    const std::lock_guard guard(mutex);
    objects.push_back(object);
}

}  // namespace mishap::detail
