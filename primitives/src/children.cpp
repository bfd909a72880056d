#include <mishap/primitives/detail/children.hpp>

#include <algorithm>

#include <boost/unordered/unordered_flat_set.hpp>
#include <fmt/format.h>
#include <mishap/loop/event_loop.hpp>

namespace mishap::detail {

namespace {
constexpr std::size_t linear_search_max = 16;
}

std::vector<std::size_t> first_occurrences(const std::vector<FutureBase*>& futures) {
    boost::unordered_flat_set<const FutureBase*> seen;  // looked up only
    std::vector<std::size_t> firsts;
    firsts.reserve(futures.size());
    for (std::size_t i = 0; i < futures.size(); ++i) {
        const auto at = futures.begin() + static_cast<std::ptrdiff_t>(i);
        const bool is_first = futures.size() <= linear_search_max ? std::find(futures.begin(), at, futures[i]) == at
                                                                  : seen.insert(futures[i]).second;
        if (is_first) {
            firsts.push_back(i);
        }
    }
    return firsts;
}

void explain_child(const FutureBase& child, WaitExplanation& explanation) {
    if (child.is_done()) {
        return;
    }
    if (child.is_task()) {
        explanation.holders.push_back(static_cast<const TaskBase*>(&child));
        return;
    }
    WaitExplanation inner;
    child.explain(inner);
    explanation.holders.insert(explanation.holders.end(), inner.holders.begin(), inner.holders.end());
    if (explanation.maker == 0) {
        explanation.maker = inner.maker;
    }
}

void check_loop_of(const FutureBase& future, const EventLoop& loop, const char* operation) {
    if (&future.loop() != &loop) {
        throw UsageError(fmt::format("{} was given a future of another loop; use the loop that made it", operation));
    }
}

}  // namespace mishap::detail
