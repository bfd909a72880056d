#pragma once

#include <string>
#include <string_view>

namespace mishap::detail {

/// Returns `text` with everything but ASCII letters, digits, `_-.+*()` and the bytes of `also_plain` as
/// `%xx`.
///
/// What is left needs no quoting in a tape, and inside single quotes none in a shell.
std::string percent_encoded(std::string_view text, std::string_view also_plain = {});

/// Returns `text` with each `%xx` as the byte it stands for; a `%` without two digits stands for itself.
std::string percent_decoded(std::string_view text);

}  // namespace mishap::detail
