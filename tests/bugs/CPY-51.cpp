// asyncio's child watchers, gh-87744 (pull request 121126) and gh-127049.
//
// A child has ended and was reaped: its number is free. The transport has not been told yet, believes it alive, and
// sends a signal, to whatever process has got the number since.

#include <functional>
#include <map>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-51",
                                    .upstream = "gh-87744, gh-127049",
                                    .title = "subprocess: a signal to a child that was reaped hits another process",
                                    .invariant = Invariant::no_use_after_end,
                                    .pattern = Pattern::check_then_suspend});

/// Processes by number; a number is free again as soon as its process was reaped.
class ProcessTable {
public:
    /// Starts a process and returns its number.
    int spawn(int owner) {
        int pid = 1;
        while (owners_.contains(pid)) {
            ++pid;
        }
        owners_[pid] = owner;
        return pid;
    }
    void reap(int pid) { owners_.erase(pid); }
    void kill(int pid, int sender) const {
        const auto found = owners_.find(pid);
        claim(found == owners_.end() || found->second == sender, Invariant::no_use_after_end);
    }

private:
    std::map<int, int> owners_;
};

enum class Reaped { is_told_later, is_told_at_once };

template <Reaped reaped>
class Child : public std::enable_shared_from_this<Child<reaped>> {
public:
    Child(std::shared_ptr<ProcessTable> processes, int owner)
        : processes_(std::move(processes)), owner_(owner), pid_(processes_->spawn(owner)) {}

    /// The watcher's callback: the process has ended.
    void reap() {
        processes_->reap(pid_);
        if (reaped == Reaped::is_told_at_once) {
            has_ended_ = true;
        } else {
            get_running_loop().call_soon([self = this->shared_from_this()] { self->has_ended_ = true; });
        }
    }
    void kill() {
        if (!has_ended_) {
            processes_->kill(pid_, owner_);
        }
    }

private:
    std::shared_ptr<ProcessTable> processes_;
    int owner_;
    int pid_;
    bool has_ended_ = false;
};

template <Reaped reaped>
void run_children() {
    const auto processes = std::make_shared<ProcessTable>();
    const auto child = std::make_shared<Child<reaped>>(processes, 1);
    const auto watcher = create_task([child] { child->reap(); }, {.name = "watcher"});
    const auto other = create_task([processes] { processes->spawn(2); }, {.name = "other"});
    const auto stopper = create_task(
        [child] {
            sleep(0s);
            sleep(0s);
            child->kill();
        },
        {.name = "stopper"});
    join(watcher, other, stopper);
}

}  // namespace

MISHAP_SCENARIO("CPY-51/buggy") { run_children<Reaped::is_told_later>(); }
MISHAP_SCENARIO("CPY-51/fixed") { run_children<Reaped::is_told_at_once>(); }
