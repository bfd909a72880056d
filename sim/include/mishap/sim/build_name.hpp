#pragma once

#include <string>

namespace mishap {

/// Returns which build of the library this is: "mishap 0.1.0, gcc 12.2.0, optimised, asan".
std::string build_name();

}  // namespace mishap
