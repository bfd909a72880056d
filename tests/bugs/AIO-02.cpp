// aiohttp's connector, aiohttp issue 4936.
//
// A connection is given back, and the next request is woken. Before it resumes, a newcomer takes the free place; the
// woken request opens a connection all the same, and there are more than the limit allows.

#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "AIO-02",
                                    .upstream = "aiohttp #4936",
                                    .title = "connector: opens more connections than its limit",
                                    .invariant = Invariant::mutual_exclusion,
                                    .pattern = Pattern::barging});

enum class OnceWoken { takes_a_place, looks_again };

template <OnceWoken once_woken>
class Connector {
public:
    explicit Connector(int limit) : limit_(limit) {}

    void acquire() {
        while (open_ >= limit_) {
            const auto woken = get_running_loop().create_future<void>();
            waiters_.push_back(woken);
            await(woken);
            if (once_woken == OnceWoken::takes_a_place) {
                break;
            }
        }
        ++open_;
    }

    void release() {
        --open_;
        if (!waiters_.empty()) {
            waiters_.front().set_result();
            waiters_.pop_front();
        }
    }

private:
    int limit_;
    int open_ = 0;
    std::deque<Future<void>> waiters_;
};

template <class C>
void request() {
    C connector(1);
    MutualExclusion connections(1);
    const auto fetch = [&] {
        const Held held(connector);
        const MutualExclusion::Inside inside(connections);
        sleep(0s);
    };
    join(create_task(fetch, {.name = "request"}), create_task(fetch, {.name = "request"}),
         create_task(fetch, {.name = "request"}));
}

}  // namespace

MISHAP_SCENARIO("AIO-02/buggy") { request<Connector<OnceWoken::takes_a_place>>(); }
MISHAP_SCENARIO("AIO-02/fixed") { request<Connector<OnceWoken::looks_again>>(); }
