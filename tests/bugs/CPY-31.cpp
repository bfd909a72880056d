// asyncio.staggered.staggered_race, gh-128479 (pull request 128475) and gh-124309 (pull request 124810).
//
// Attempts are begun one after another, each a little later, until one wins. Cancelled, the race cancels the attempts
// that there are and waits for them; meanwhile the next one is begun, which nobody cancels.

#include <optional>
#include <vector>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-31",
                                    .upstream = "gh-128479, gh-124309",
                                    .title = "staggered_race: begins another attempt while it stops them all",
                                    .invariant = Invariant::no_orphan,
                                    .pattern = Pattern::close_forgets});

enum class Stops { attempts_first, beginning_first };

template <Stops stops>
class StaggeredRace : public std::enable_shared_from_this<StaggeredRace<stops>> {
public:
    NoOrphan attempts;

    void run() {
        begin_attempt();
        try {
            await(won_);
        } catch (const CancelledError&) {
            stop();
            throw;
        }
        stop();
    }

private:
    void begin_attempt() {
        tasks_.push_back(create_task([self = this->shared_from_this()] { self->attempt(); }, {.name = "attempt"}));
        next_ = get_running_loop().call_later(250ms, [self = this->shared_from_this()] { self->begin_attempt(); });
    }

    void attempt() {
        const NoOrphan::Alive alive(attempts);
        try {
            sleep(400ms);
        } catch (const CancelledError&) {
            sleep(0s);  // closes its socket
            throw;
        }
        if (!won_.done()) {
            won_.set_result();
        }
    }

    void stop() {
        if (stops == Stops::beginning_first) {
            next_.cancel();
        }
        const std::vector<Task<void>> tasks = tasks_;
        for (const Task<void>& task : tasks) {
            task.cancel();
        }
        join(tasks);
        next_.cancel();
    }

    Future<void> won_ = get_running_loop().create_future<void>();
    std::vector<Task<void>> tasks_;
    TimerHandle next_;
};

template <Stops stops>
void connect_and_stop() {
    const auto race = std::make_shared<StaggeredRace<stops>>();
    const auto client = create_task([race] { race->run(); }, {.name = "client"});
    sleep(240ms);
    client.cancel();
    join(client);
    race->attempts.check();
}

}  // namespace

MISHAP_SCENARIO("CPY-31/buggy", .timer_slack = 20ms) { connect_and_stop<Stops::attempts_first>(); }
MISHAP_SCENARIO("CPY-31/fixed", .timer_slack = 20ms) { connect_and_stop<Stops::beginning_first>(); }
