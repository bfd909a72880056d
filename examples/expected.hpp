#pragma once

// What is expected of each example: the demo and the tests hold it against what is found.

#include <optional>
#include <string_view>

#include <mishap/sim/finding.hpp>

struct Expected {
    std::string_view scenario;
    std::optional<mishap::FindingKind> finding;  // none: every order passes
    std::string_view mishaps;                    // the shrunk run's, as replay lines have them, joined by ", "
};

inline constexpr Expected expectations[] = {
    {"coroutine_chain/checked_again", {}, {}},
    {"coroutine_chain/overdrawn", mishap::FindingKind::check,
     "main/second#1<main/first#3, main/second#2<main/first#3"},
    {"counter/locked", {}, {}},
    {"counter/unsafe", mishap::FindingKind::lost_update, "main/adder~2#2<main/adder#2"},
    {"lock_baton/doubled", mishap::FindingKind::check, "main/waiter~2#2<main/waiter#2"},
    {"lock_baton/dropped", mishap::FindingKind::stuck, "cancel@main/waiter#2"},
    {"lock_baton/passed_on", {}, {}},
    {"lock_baton/single", {}, {}},
    {"philosophers/greedy", mishap::FindingKind::stuck,
     "main/philosopher1#2<main/philosopher0#2, main/philosopher2#3<main/philosopher1#3"},
    {"philosophers/hasty", mishap::FindingKind::stuck,
     "yield@main/philosopher0#1.1, main/philosopher2#1<main/philosopher1#1"},
    {"philosophers/hasty_ordered", {}, {}},
    {"philosophers/ordered", {}, {}},
    {"producer_consumer/flag", mishap::FindingKind::stuck, "main/consumer#3<main/producer#3"},
    {"producer_consumer/shutdown", {}, {}},
    {"queue_handoff/through_the_future", mishap::FindingKind::check, "cancel@main/second#2"},
    {"queue_handoff/through_the_queue", {}, {}},
    {"timeout_hour/late_answer", {}, {}},
    {"timeout_hour/no_answer", {}, {}},
    {"wait_for_cancel/cancel_wins", {}, {}},
    {"wait_for_cancel/result_wins", mishap::FindingKind::check, "main/worker/work#2<main/worker#2"},
    {"wait_for_cancel/work_inline", {}, {}},
    {"wait_for_result/cancel_wins", mishap::FindingKind::check, "main/worker/work#2<main/worker#2"},
    {"wait_for_result/result_wins", {}, {}},
    {"wait_for_result/work_inline", {}, {}},
    {"worker_counter/locked", {}, {}},
    {"worker_counter/unlocked", mishap::FindingKind::check, "main/ThreadPoolExecutor_1#1<main/ThreadPoolExecutor_0#4"},
};

/// Returns what is expected of the scenario called `name`, or null.
inline const Expected* find_expected(std::string_view name) {
    for (const Expected& expected : expectations) {
        if (expected.scenario == name) {
            return &expected;
        }
    }
    return nullptr;
}
