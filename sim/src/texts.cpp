#include <algorithm>
#include <vector>

#include <mishap/sim/choice.hpp>
#include <mishap/sim/entity.hpp>
#include <mishap/sim/finding.hpp>
#include <mishap/sim/sweep.hpp>

namespace mishap {

const char* to_text(ChoiceKind kind) {
    switch (kind) {
        case ChoiceKind::none: return "none";
        case ChoiceKind::schedule: return "schedule";
        case ChoiceKind::tick: return "tick";
        case ChoiceKind::cancel: return "cancel";
        case ChoiceKind::forced_yield: return "yield";
        case ChoiceKind::value: return "value";
        case ChoiceKind::chance: return "chance";
        case ChoiceKind::fault: return "fault";
        case ChoiceKind::sweep: return "sweep";
    }
    return "unknown";
}

const char* to_text(Sweep sweep) {
    switch (sweep) {
        case Sweep::off: return "off";
        case Sweep::cancel: return "cancel";
        case Sweep::timeout: return "timeout";
        case Sweep::fail: return "fail";
    }
    return "unknown";
}

const char* to_text(EntityKind kind) {
    switch (kind) {
        case EntityKind::task: return "task";
        case EntityKind::lane: return "callbacks";
        case EntityKind::thread: return "thread";
        case EntityKind::timer: return "timer";
        case EntityKind::time: return "time";
    }
    return "unknown";
}

const char* to_text(WakeReason reason) {
    switch (reason) {
        case WakeReason::start: return "starts";
        case WakeReason::yield: return "goes on";
        case WakeReason::future: return "wakes";
        case WakeReason::cancelled: return "wakes cancelled";
        case WakeReason::callback: return "runs";
        case WakeReason::deadline: return "is due";
        case WakeReason::time_passes: return "time passes";
    }
    return "unknown";
}

const char* to_text(StepEnd end) {
    switch (end) {
        case StepEnd::parked: return "waits";
        case StepEnd::yielded: return "yields";
        case StepEnd::finished: return "ends";
    }
    return "unknown";
}

const char* to_text(FindingKind kind) {
    switch (kind) {
        case FindingKind::exception: return "exception";
        case FindingKind::check: return "check failed";
        case FindingKind::stuck: return "deadlock";
        case FindingKind::lost_update: return "lost update";
        case FindingKind::over_budget: return "over budget";
        case FindingKind::hung: return "a step never returned";
        case FindingKind::crashed: return "crash";
        case FindingKind::destroyed: return "primitive destroyed while in use";
        case FindingKind::leaked_task: return "leaked task";
        case FindingKind::never_retrieved: return "exception never retrieved";
        case FindingKind::never_awaited: return "never awaited";
        case FindingKind::unclosed: return "never closed";
        case FindingKind::slow_step: return "slow step";
        case FindingKind::foreign_thread: return "a real thread took part";
        case FindingKind::wrong_thread: return "call from the wrong thread";
        case FindingKind::broken_promise: return "broken promise";
        case FindingKind::livelock: return "livelock";
        case FindingKind::starved: return "starvation";
        case FindingKind::race: return "race";
        case FindingKind::script: return "the script was not followed";
        case FindingKind::divergence: return "divergence";
    }
    return "unknown";
}

std::string Finding::signature() const {
    std::string result = to_text(kind);
    result += '|';
    result += label;
    for (const std::string& path : tasks) {
        result += '|';
        // The last part of the path: how the task was reached does not matter, and only replays know all of it.
        const std::string task = path.substr(path.rfind('/') + 1);
        // Ordinals (`task#3`, `worker~2`) say which of several equals it hit; the failure is the same.
        bool in_ordinal = false;
        for (const char c : task) {
            if (c == '#' || c == '~') {
                in_ordinal = true;
            } else if (c == '/') {
                in_ordinal = false;
            }
            if (!in_ordinal) {
                result += c;
            }
        }
    }
    return result;
}

bool is_same_failure(std::string_view recorded, std::string_view found) {
    const auto parts = [](std::string_view signature) {
        std::vector<std::string_view> result;
        while (true) {
            const std::size_t end = signature.find('|');
            result.push_back(signature.substr(0, end));
            if (end == std::string_view::npos) {
                break;
            }
            signature.remove_prefix(end + 1);
        }
        // Kind and label stand first, the tasks behind them.
        std::sort(result.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(result.size(), 2)), result.end());
        return result;
    };
    return parts(recorded) == parts(found);
}

}  // namespace mishap
