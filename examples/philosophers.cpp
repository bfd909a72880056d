// Dining philosophers: each takes the fork at its left, then the one at its right, and all of them starve.

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <mishap/mishap.hpp>

using namespace mishap;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t seats = 3;

struct Table {
    std::array<Lock, seats> forks{Lock("fork0"), Lock("fork1"), Lock("fork2")};
};

/// Lets one philosopher for each seat run `dine(seat)`, and waits for all of them.
template <class Dine>
void seat_all(Dine dine) {
    std::vector<Task<void>> philosophers;
    for (std::size_t seat = 0; seat < seats; ++seat) {
        philosophers.push_back(
            create_task([dine, seat] { dine(seat); }, {.name = "philosopher" + std::to_string(seat)}));
    }
    gather(philosophers);
}

/// Philosopher i waits i times before it is hungry: calm, nobody reaches for a fork that another still needs.
void think(std::size_t seat) {
    for (std::size_t i = 0; i < seat; ++i) {
        sleep(0s);
    }
}

}  // namespace

MISHAP_SCENARIO("philosophers/greedy", .runs_max = 10'000) {
    Table table;
    seat_all([&](std::size_t seat) {
        think(seat);
        const auto left = table.forks[seat].guard();
        sleep(0s);
        const auto right = table.forks[(seat + 1) % seats].guard();
    });
}

// The repair: whoever needs two forks takes the one with the smaller number first.
MISHAP_SCENARIO("philosophers/ordered", .strategy = Strategy::exhaustive, .runs_max = 1'000'000) {
    Table table;
    seat_all([&](std::size_t seat) {
        think(seat);
        const std::size_t right = (seat + 1) % seats;
        const auto lower = table.forks[std::min(seat, right)].guard();
        sleep(0s);
        const auto higher = table.forks[std::max(seat, right)].guard();
    });
}

// Nothing suspends between the two forks here, so no order of steps shows the mistake. A forced yield does: it stands for
// the day on which something between them will wait.
MISHAP_SCENARIO("philosophers/hasty", .forced_yields = 1, .runs_max = 10'000) {
    Table table;
    seat_all([&](std::size_t seat) {
        const auto left = table.forks[seat].guard();
        const auto right = table.forks[(seat + 1) % seats].guard();
    });
}

MISHAP_SCENARIO("philosophers/hasty_ordered", .forced_yields = 1, .strategy = Strategy::exhaustive,
                .runs_max = 1'000'000) {
    Table table;
    seat_all([&](std::size_t seat) {
        const std::size_t right = (seat + 1) % seats;
        const auto lower = table.forks[std::min(seat, right)].guard();
        const auto higher = table.forks[std::max(seat, right)].guard();
    });
}
