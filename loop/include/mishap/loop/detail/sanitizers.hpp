#pragma once

// MISHAP_ASAN and MISHAP_TSAN are 1 in builds whose sanitizer must be told about every stack switch, else 0.

#if defined(__has_feature)
#define MISHAP_HAS_FEATURE(feature) __has_feature(feature)
#else
#define MISHAP_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || MISHAP_HAS_FEATURE(address_sanitizer)
#define MISHAP_ASAN 1
#else
#define MISHAP_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || MISHAP_HAS_FEATURE(thread_sanitizer)
#define MISHAP_TSAN 1
#else
#define MISHAP_TSAN 0
#endif

#undef MISHAP_HAS_FEATURE
