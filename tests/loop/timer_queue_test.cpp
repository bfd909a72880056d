#include <mishap/loop/detail/timer_queue.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include <mishap/sim/prng.hpp>

#include "support/catch.hpp"

using mishap::Prng;
using mishap::detail::TimerId;
using mishap::detail::TimerQueue;

namespace {

using Timers = TimerQueue<int>;

/// Does to a multimap what is done to the queue, and compares. A multimap keeps equal keys in the order of
/// insertion.
class Model {
public:
    Model(std::uint64_t seed, std::int64_t span) : prng_(seed), span_(span) {}

    void arm(std::int64_t when) {
        const int payload = ++armed_;
        const TimerId id = timers_.arm(when, payload);
        ids_.emplace_back(id, payload);
        expected_.emplace(std::max(when, floor_), payload);
    }
    void arm_some() {
        const std::int64_t base = prng_.below(16) == 0 ? 0 : now_;
        // Few distinct deadlines half of the time, so that equal ones meet.
        const std::int64_t after =
            prng_.below(2) == 0 ? random_span() : random_span() / (span_ / 8 + 1) * (span_ / 8 + 1);
        arm(base + after);
    }
    void cancel_some() {
        if (ids_.empty()) return;
        const auto [id, payload] = ids_[prng_.below(static_cast<std::uint32_t>(ids_.size()))];
        cancel(id, payload);
    }
    void cancel_earliest() {
        if (expected_.empty()) return;
        const int payload = expected_.begin()->second;
        const auto found =
            std::find_if(ids_.begin(), ids_.end(), [&](const auto& id) { return id.second == payload; });
        cancel(found->first, payload);
    }
    void look() {
        agrees_ = agrees_ && timers_.size() == expected_.size() && timers_.empty() == expected_.empty();
        if (!expected_.empty()) agrees_ = agrees_ && timers_.earliest() == expected_.begin()->first;
    }
    void look_at_deadlines() {
        const std::int64_t slack = random_span() / 4;
        const std::uint32_t count_max = prng_.below(6);
        std::set<std::int64_t> distinct;
        for (const auto& [when, payload] : expected_) {
            if (when - expected_.begin()->first <= slack && distinct.size() < count_max)
                distinct.insert(when);
        }
        std::vector<std::int64_t> actual;
        timers_.distinct_deadlines(slack, count_max, [&](std::int64_t when) { actual.push_back(when); });
        agrees_ = agrees_ && std::equal(actual.begin(), actual.end(), distinct.begin(), distinct.end());
    }
    void pass_time() {
        now_ += random_span() / 4;
        timers_.pop_until(now_, [this](std::int64_t when, int payload) {
            agrees_ = agrees_ && !expected_.empty() &&
                      *expected_.begin() == std::pair<const std::int64_t, int>(when, payload);
            if (!agrees_) return;
            expected_.erase(expected_.begin());
            floor_ = when;
        });
        agrees_ = agrees_ && (expected_.empty() || expected_.begin()->first > now_);
        std::erase_if(ids_, [this](const auto& id) { return !timers_.armed(id.first); });
        agrees_ = agrees_ && ids_.size() == expected_.size();
    }
    void clear() {
        timers_.clear();
        for (const auto& [id, payload] : ids_) agrees_ = agrees_ && !timers_.armed(id);
        ids_.clear();
        expected_.clear();
        now_ = 0;
        floor_ = 0;
    }
    std::uint32_t below(std::uint32_t bound) { return prng_.below(bound); }
    std::size_t size() const { return expected_.size(); }
    bool agrees() const { return agrees_; }

private:
    std::int64_t random_span() {
        return static_cast<std::int64_t>(prng_.below64(static_cast<std::uint64_t>(span_)));
    }

    void cancel(TimerId id, int payload) {
        const auto found = std::find_if(expected_.begin(), expected_.end(),
                                        [&](const auto& e) { return e.second == payload; });
        const bool was_armed = found != expected_.end();
        const int* held = timers_.find(id);
        agrees_ = agrees_ && (held != nullptr) == was_armed && (held == nullptr || *held == payload);
        agrees_ = agrees_ && timers_.cancel(id) == was_armed && !timers_.armed(id) && !timers_.cancel(id);
        if (was_armed) expected_.erase(found);
        std::erase_if(ids_, [&](const auto& known) { return known.second == payload; });
    }

    Prng prng_;
    std::int64_t span_;
    Timers timers_;
    std::multimap<std::int64_t, int> expected_;
    std::vector<std::pair<TimerId, int>> ids_;
    std::int64_t now_ = 0;
    std::int64_t floor_ = 0;
    int armed_ = 0;
    bool agrees_ = true;
};

void run_model(Model& model, std::size_t size, int operations) {
    for (int i = 0; i < operations && model.agrees(); ++i) {
        const std::uint32_t dice = model.below(32);
        if (dice == 0)
            model.look();
        else if (dice == 1)
            model.look_at_deadlines();
        else if (dice == 2)
            model.cancel_earliest();
        else if (dice == 3)
            model.pass_time();
        else if (model.size() < size || dice < 12)
            model.arm_some();
        else
            model.cancel_some();
    }
    model.look();
}

}  // namespace

TEST_CASE("the timer queue does what a multimap does, at every size and span") {
    const auto size = GENERATE(std::size_t{1}, std::size_t{10}, std::size_t{300});
    const auto span =
        GENERATE(std::int64_t{4}, std::int64_t{1'000}, std::int64_t{1'000'000'000}, std::int64_t{1} << 50);
    Model model(size * 31 + static_cast<std::uint64_t>(span), span);
    for (int round = 0; round < 4 && model.agrees(); ++round) {
        run_model(model, size, 5'000);
        model.clear();
        model.look();
    }
    REQUIRE(model.agrees());
}

TEST_CASE("timers armed for the same time leave in the order of arming") {
    Timers timers;
    for (int i = 0; i < 100; ++i) timers.arm(i % 2 == 0 ? 500 : 1'000, i);
    std::vector<int> order;
    timers.pop_until(1'000, [&](std::int64_t, int payload) { order.push_back(payload); });
    std::vector<int> expected;
    for (int i = 0; i < 100; i += 2) expected.push_back(i);
    for (int i = 1; i < 100; i += 2) expected.push_back(i);
    REQUIRE(order == expected);
}

TEST_CASE("a timer armed before the earliest one was looked at and one after it leave in the order of time") {
    Timers timers;
    const TimerId cancelled = timers.arm(1'000, 1);
    timers.arm(1'001, 2);
    timers.cancel(cancelled);
    REQUIRE(timers.earliest() ==
            1'001);  // drops what was cancelled, and looks ahead of the present time in doing so
    timers.arm(20, 3);
    timers.arm(10, 4);
    timers.arm(20, 5);
    REQUIRE(timers.earliest() == 10);
    std::vector<int> order;
    timers.pop_until(2'000, [&](std::int64_t, int payload) { order.push_back(payload); });
    REQUIRE(order == std::vector<int>{4, 3, 5, 2});
}

TEST_CASE("a timer armed for the past is due at the time of the last one handed over") {
    Timers timers;
    timers.arm(100, 1);
    timers.pop_until(100, [](std::int64_t, int) {});
    timers.arm(40, 2);
    timers.arm(100, 3);
    REQUIRE(timers.earliest() == 100);
    std::vector<int> order;
    timers.pop_until(100, [&](std::int64_t, int payload) { order.push_back(payload); });
    REQUIRE(order == std::vector<int>{2, 3});
}

TEST_CASE("a timer armed while others are handed over leaves with them if it is due") {
    Timers timers;
    timers.arm(10, 1);
    timers.arm(30, 3);
    std::vector<int> order;
    timers.pop_until(30, [&](std::int64_t when, int payload) {
        order.push_back(payload);
        if (payload == 1) timers.arm(when + 10, 2);
        if (payload == 3) timers.arm(when + 10, 4);
    });
    REQUIRE(order == std::vector<int>{1, 2, 3});
    REQUIRE(timers.earliest() == 40);
}

TEST_CASE("the latest time that can be told is a deadline like others") {
    constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    Timers timers;
    timers.arm(never, 1);
    timers.arm(never - 1, 2);
    std::vector<std::int64_t> deadlines;
    timers.distinct_deadlines(never, 8, [&](std::int64_t when) { deadlines.push_back(when); });
    REQUIRE(deadlines == std::vector<std::int64_t>{never - 1, never});
}

TEST_CASE(
    "a cancelled timer's payload is destroyed at once, a handed over one's by the receiver, the others' by "
    "clear") {
    const auto payload = std::make_shared<int>(1);
    TimerQueue<std::shared_ptr<int>> timers;
    const TimerId first = timers.arm(1, payload);
    timers.arm(2, payload);
    timers.arm(3, payload);
    timers.cancel(first);
    REQUIRE(payload.use_count() == 3);
    timers.pop_until(
        2, [&](std::int64_t, std::shared_ptr<int>&& received) { REQUIRE(received.use_count() == 3); });
    REQUIRE(payload.use_count() == 2);
    timers.clear();
    REQUIRE(payload.use_count() == 1);
}

TEST_CASE("an id that names nothing is never armed") {
    Timers timers;
    REQUIRE_FALSE(timers.armed(TimerId{}));
    timers.arm(1, 1);
    REQUIRE_FALSE(timers.armed(TimerId{}));
    REQUIRE_FALSE(timers.cancel(TimerId{7, 1}));
}
