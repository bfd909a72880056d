#include <mishap/loop/detail/thread_state.hpp>

#include <cxxabi.h>
#include <cerrno>

namespace mishap::detail {

ThreadGlobals capture_thread_globals() noexcept {
    return {reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals()), &errno};
}

}  // namespace mishap::detail
