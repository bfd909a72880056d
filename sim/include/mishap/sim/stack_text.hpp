#pragma once

#include <string>
#include <vector>

namespace mishap::detail {

/// Returns the return addresses of the calls that led here, innermost first.
std::vector<void*> capture_stack();

/// Returns the functions that those addresses lie in, without the library's own; those without a name are left out.
std::vector<std::string> describe_stack(const std::vector<void*>& stack);

}  // namespace mishap::detail
