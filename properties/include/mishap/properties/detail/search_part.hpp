#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <mishap/properties/options.hpp>
#include <mishap/properties/report.hpp>
#include <mishap/sim/strategy.hpp>

namespace mishap::detail {

/// The share of one process in a search that several make together; knows about the others.
class SearchPart {
public:
    virtual ~SearchPart() = default;

    /// Returns a strategy that answers as `strategy` does and makes no runs that nobody wants any more.
    virtual std::unique_ptr<Strategy> share(std::unique_ptr<Strategy> strategy) = 0;

    /// Returns whether the failure of `run` is the one to report, because no other process failed in an earlier run.
    /// Waits until they have all come that far.
    virtual bool is_first_failure(std::uint64_t run) = 0;
};

/// A search of another kind: makes runs of a program in a world, and says what came of it.
using SearchFunction = std::function<SearchResult(Program& program, World& world)>;

/// As `explore`, with calm runs, confirmation, shrinking and story, but `search` makes the runs in between.
Report explore_by(const std::function<void()>& program, const ExploreOptions& options, const SearchFunction& search);

/// As `explore`, for one of several processes. A failure that another process is to report is left out.
Report explore_part(const std::function<void()>& program, const ExploreOptions& options, SearchPart& part);

}  // namespace mishap::detail
