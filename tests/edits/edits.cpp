#include "edits.hpp"

#include <algorithm>

namespace mishap::edits {

namespace {

using namespace std::chrono_literals;

Edit active;
std::vector<Edit> seen;

/// Returns whether the edit is switched on, and takes down that it could be.
bool is_on(Operator edited, const char* place) {
    const Edit edit{edited, place};
    if (std::find(seen.begin(), seen.end(), edit) == seen.end()) {
        seen.push_back(edit);
    }
    return edit == active;
}

}  // namespace

const char* to_text(Operator edited) {
    switch (edited) {
        case Operator::none: return "no edit";
        case Operator::log_line: return "log line";
        case Operator::renamed_local: return "renamed local";
        case Operator::unrelated_task: return "unrelated task";
        case Operator::wait_elsewhere: return "wait elsewhere";
        case Operator::wait_in_failing: return "wait in a failing task";
        case Operator::swapped_spawns: return "swapped spawns";
        case Operator::raised_bound: return "raised loop bound";
    }
    return "unknown";
}

void apply(const Edit& edit) {
    active = edit;
    seen.clear();
}

std::vector<Edit> available() { return seen; }

void line(const char* place) {
    if (is_on(Operator::log_line, place)) {
        checkpoint(place);
    }
    if (is_on(Operator::wait_in_failing, place)) {
        sleep(0s);
    }
}

void thread_line(const char* place) {
    if (is_on(Operator::log_line, place)) {
        checkpoint(place);
    }
    if (is_on(Operator::wait_in_failing, place)) {
        Shared<int> own{0, "own"};
        own.store(1);
    }
}

void elsewhere(const char* place) {
    if (is_on(Operator::wait_elsewhere, place)) {
        sleep(0s);
    }
}

void task(const char* place) {
    if (is_on(Operator::unrelated_task, place)) {
        create_task([] {
            sleep(0s);
            sleep(0s);
        });
    }
}

std::optional<Thread> thread(const char* place) {
    if (!is_on(Operator::unrelated_task, place)) {
        return std::nullopt;
    }
    return Thread([] {
        Shared<int> own{0, "own"};
        own.store(1);
        own.store(2);
    });
}

std::string name(const char* name) {
    return is_on(Operator::renamed_local, name) ? std::string("renamed_") + name : std::string(name);
}

int bound(const char* place, int count) { return is_on(Operator::raised_bound, place) ? count + 1 : count; }

bool is_swapped(const char* place) { return is_on(Operator::swapped_spawns, place); }

std::vector<Fixture> all_fixtures() {
    std::vector<Fixture> all;
    for (const auto part : {lock_fixtures, cancellation_fixtures, order_fixtures, thread_fixtures, crowd_fixtures}) {
        const std::vector<Fixture> fixtures = part();
        all.insert(all.end(), fixtures.begin(), fixtures.end());
    }
    return all;
}

}  // namespace mishap::edits
