#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <mishap/properties/scenario.hpp>

namespace mishap::detail {

/// Returns the scenarios that match one of `patterns`, or all when there is none.
///
/// Throws:    UsageError for a pattern that matches nothing.
std::vector<Scenario> select_scenarios(const std::vector<std::string>& patterns);

/// Returns the scenario called `name`, or the only one there is when `name` is empty.
///
/// Throws:    UsageError when there is none; `source` says where the name came from.
Scenario find_scenario(const std::string& name, std::string_view source);

}  // namespace mishap::detail
