#include <mishap/sim/preemption_bounded.hpp>

#include <algorithm>
#include <set>

#include <mishap/sim/exhaustive.hpp>

#include "order_counts.hpp"
#include "sim/machine_programs.hpp"
#include "support/catch.hpp"

namespace mishap {
namespace {

using test::Machine;
using test::MachineProgram;
using test::ThreadBody;

ThreadBody write_often(Machine& m, Machine::Variable x, int times) {
    for (int i = 0; i < times; ++i) {
        co_await m.write(x, i);
    }
}

MachineProgram writers(std::vector<int> steps) {
    return {"writers",
            [steps = std::move(steps)](Machine& m) {
                const Machine::Variable x = m.variable();
                for (const int count : steps) {
                    m.thread(write_often(m, x, count));
                }
            },
            {}};
}

std::string order_of(const Machine& machine) {
    std::string order;
    for (const Machine::Event& event : machine.events()) {
        order += static_cast<char>('a' + event.thread);
    }
    return order;
}

/// Makes all runs and returns their orders by the bound in which they came.
template <class S>
std::vector<std::vector<std::string>> orders_by_bound(const MachineProgram& program, S& strategy) {
    std::vector<std::vector<std::string>> orders;
    Machine machine(program);
    for (std::uint64_t run = 0; machine.play(strategy, run); ++run) {
        orders.resize(std::max<std::size_t>(orders.size(), strategy.bound() + 1));
        orders.at(strategy.bound()).push_back(order_of(machine));
    }
    return orders;
}

/// Threads that are always offered in the order of their numbers, whoever went last: two steps each.
class ByNumber final : public CandidateSource {
public:
    explicit ByNumber(World& world) : world_(world) {}

    std::string run() {
        std::string order;
        while (!candidates().empty()) {
            const auto classes = static_cast<std::uint32_t>(ready_.size());
            const std::uint64_t who = candidates()[world_.choices().schedule(classes, *this)].key;
            const std::uint32_t step = ++made_[who - 1];
            world_.digest().fold(who);
            world_.choices().step_made({who, step}, step == 2 ? StepEnd::finished : StepEnd::parked);
            order += static_cast<char>('a' + who - 1);
        }
        return order;
    }
    std::span<const Candidate> candidates() override {
        ready_.clear();
        for (std::size_t i = 0; i < std::size(made_); ++i) {
            if (made_[i] < 2) {
                ready_.push_back({.key = i + 1, .kind = EntityKind::thread, .step = made_[i] + 1});
            }
        }
        return ready_;
    }

private:
    World& world_;
    std::uint32_t made_[3] = {};
    std::vector<Candidate> ready_;
};

/// Returns how often `order` leaves a thread that has more to do.
std::size_t preemptions_in(const std::string& order) {
    std::size_t preemptions = 0;
    for (std::size_t i = 1; i < order.size(); ++i) {
        const bool has_more = order.find(order[i - 1], i) != std::string::npos;
        preemptions += order[i] != order[i - 1] && has_more ? 1U : 0U;
    }
    return preemptions;
}

}  // namespace

TEST_CASE("two threads of two steps: two orders without, two with one and two with two preemptions") {
    PreemptionBounded bounded;
    const auto orders = orders_by_bound(writers({2, 2}), bounded);
    using Orders = std::set<std::string>;
    REQUIRE(orders.size() == 3);
    CHECK(Orders(orders[0].begin(), orders[0].end()) == Orders{"aabb", "bbaa"});
    CHECK(Orders(orders[1].begin(), orders[1].end()) == Orders{"abba", "baab"});
    CHECK(Orders(orders[2].begin(), orders[2].end()) == Orders{"abab", "baba"});
    CHECK(bounded.is_exhausted());
}

TEST_CASE("preemption bounding makes every order exactly once, each in the round of its preemptions") {
    const auto steps = GENERATE(std::vector<int>{3, 3}, std::vector<int>{2, 2, 2}, std::vector<int>{4, 1, 2});
    PreemptionBounded bounded;
    const auto orders = orders_by_bound(writers(steps), bounded);
    std::set<std::string> all;
    std::size_t runs = 0;
    for (std::size_t bound = 0; bound < orders.size(); ++bound) {
        for (const std::string& order : orders[bound]) {
            CHECK(preemptions_in(order) == bound);
            all.insert(order);
            ++runs;
        }
    }
    std::set<std::string> expected;
    Machine machine(writers(steps));
    Exhaustive exhaustive;
    for (std::uint64_t run = 0; machine.play(exhaustive, run); ++run) {
        expected.insert(order_of(machine));
    }
    CHECK(all == expected);
    CHECK(all.size() == runs);
    CHECK(bounded.is_exhausted());
}

TEST_CASE("to go on is free whichever class it has") {
    PreemptionBounded bounded;
    std::set<std::string> orders;
    std::size_t runs = 0;
    test::ToyProgram program([&](World& world) {
        const std::string order = ByNumber(world).run();
        CHECK(preemptions_in(order) == bounded.bound());
        orders.insert(order);
        ++runs;
    });
    World world{WorldOptions{}};
    CHECK(Explorer(program, world).search(bounded, {}).is_exhausted);
    CHECK(orders.size() == 90);
    CHECK(runs == 90);
}

TEST_CASE("to go on elsewhere when a thread has to wait is no preemption") {
    PreemptionBounded bounded(1);
    const auto orders = orders_by_bound(test::phil_deadlock(2), bounded);
    CHECK(orders.at(0) == std::vector<std::string>{"aaaabbbb", "bbbbaaaa"});
    // One preemption after the first step, and the other takes its fork and has to wait, as has the first: stuck, for free.
    // After the second step both forks are taken, and nobody can preempt. After the third the other takes one and waits.
    CHECK(std::set<std::string>(orders.at(1).begin(), orders.at(1).end()) ==
          std::set<std::string>{"ab", "ba", "aaababbb", "bbbabaaa"});
    CHECK(orders.at(1).size() == 4);
}

TEST_CASE("preemption bounding claims all only if no preemption was cut by the bound") {
    PreemptionBounded cut(1);
    orders_by_bound(writers({2, 2}), cut);
    CHECK(cut.is_bound_exhausted());
    CHECK_FALSE(cut.is_exhausted());
    PreemptionBounded whole(2);
    orders_by_bound(writers({2, 2}), whole);
    CHECK(whole.is_exhausted());
}

TEST_CASE("tasks switch where they wait: every order of theirs is free") {
    PreemptionBounded bounded(0);
    const auto orders = test::count_orders(test::orders_of(bounded, {2, 2, 1}, test::limits(1'000)));
    CHECK(orders.size() == 30);
    for (const auto& [order, count] : orders) {
        CHECK(count == 1);
    }
    CHECK(bounded.is_exhausted());
}

TEST_CASE("a mishap that is no matter of order costs as much as a preemption") {
    PreemptionBounded bounded;
    std::vector<std::pair<std::uint32_t, std::vector<std::uint32_t>>> runs;
    test::ToyProgram program([&](World& world) {
        test::ask(world, 3);
        test::ask(world, 2, {1, 2});
        runs.emplace_back(bounded.bound(), test::answers(world.choices().tape()));
    });
    World world{WorldOptions{}};
    CHECK(Explorer(program, world).search(bounded, {}).is_exhausted);
    REQUIRE(runs.size() == 6);
    for (const auto& [bound, answers] : runs) {
        CHECK(bound == std::min(answers[0], 1U) + std::min(answers[1], 1U));
    }
}

TEST_CASE("what does not fit into memory is left out, the dear first, and nothing is claimed") {
    const MachineProgram program = writers({3, 3});
    PreemptionBounded whole;
    const auto all = orders_by_bound(program, whole);
    REQUIRE(whole.is_exhausted());

    PreemptionBounded few_forks(PreemptionBounded::unbounded, {.forks_max = 2, .runs_max = 1'000});
    const auto some = orders_by_bound(program, few_forks);
    CHECK(some.at(0) == all.at(0));
    CHECK(some.at(1).size() < all.at(1).size());
    std::set<std::string> orders;
    std::size_t runs = 0;
    for (const std::vector<std::string>& round : some) {
        orders.insert(round.begin(), round.end());
        runs += round.size();
    }
    CHECK(orders.size() == runs);
    CHECK_FALSE(few_forks.is_exhausted());
    CHECK_FALSE(few_forks.is_bound_exhausted());

    PreemptionBounded few_runs(PreemptionBounded::unbounded, {.forks_max = 1'000, .runs_max = 5});
    std::size_t made = 0;
    for (const std::vector<std::string>& round : orders_by_bound(program, few_runs)) {
        made += round.size();
    }
    CHECK(made == 5);
    CHECK_FALSE(few_runs.is_exhausted());
    CHECK_FALSE(few_runs.has_diverged());
}

}  // namespace mishap
