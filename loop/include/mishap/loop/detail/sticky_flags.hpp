#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace mishap::detail {

/// Keeps all sticky floating-point exception flags of the SSE unit set, and restores them when destroyed.
///
/// A switch reloads the register that holds them. Once one task has rounded a result and another has not,
/// every switch changes that register, which makes the processor wait: 64 ns instead of 4. With all flags set
/// they cannot differ. So inside a loop `fetestexcept` says nothing. On other processors this does nothing.
class StickyFlags {
public:
#if defined(__SSE__)
    StickyFlags() noexcept : flags_before_(_mm_getcsr() & all_flags) { _mm_setcsr(_mm_getcsr() | all_flags); }
    ~StickyFlags() { _mm_setcsr((_mm_getcsr() & ~all_flags) | flags_before_); }
#else
    StickyFlags() noexcept = default;
    ~StickyFlags() = default;
#endif
    StickyFlags(const StickyFlags&) = delete;
    StickyFlags& operator=(const StickyFlags&) = delete;

#if defined(__SSE__)
private:
    static constexpr unsigned int all_flags = 0x3f;  // bits 0 to 5 of MXCSR: _MM_EXCEPT_MASK
    unsigned int flags_before_;
#endif
};

}  // namespace mishap::detail
