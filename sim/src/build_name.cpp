#include <mishap/sim/build_name.hpp>

#include <fmt/format.h>

#ifndef MISHAP_VERSION
#define MISHAP_VERSION "(unknown version)"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define MISHAP_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MISHAP_HAS_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define MISHAP_HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MISHAP_HAS_TSAN 1
#endif
#endif

namespace mishap {

std::string build_name() {
#if defined(__clang__)
    const std::string compiler =
        fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
    const std::string compiler = fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
    const std::string compiler = "another compiler";
#endif
#if defined(__OPTIMIZE__)
    std::string build = "optimised";
#else
    std::string build = "not optimised";
#endif
#if defined(MISHAP_HAS_ASAN)
    build += ", asan";
#endif
#if defined(MISHAP_HAS_TSAN)
    build += ", tsan";
#endif
    return fmt::format("mishap {}, {}, {}", MISHAP_VERSION, compiler, build);
}

}  // namespace mishap
