#include <mishap/primitives/detail/real_access.hpp>

#include <array>

namespace mishap::detail {

RealMutex& real_lock_of(const void* variable) {
    static std::array<RealMutex, 16> locks;
    return locks[(reinterpret_cast<std::uintptr_t>(variable) >> 4U) % locks.size()];
}

}  // namespace mishap::detail
