#pragma once

namespace mishap::detail {

/// May end the process itself; otherwise it is aborted.
using InvariantHook = void (*)() noexcept;

/// Sets what is called when an invariant of the library does not hold, after the message and the tape so far are
/// printed; for all threads; nullptr for nothing.
void set_invariant_hook(InvariantHook hook) noexcept;

}  // namespace mishap::detail
