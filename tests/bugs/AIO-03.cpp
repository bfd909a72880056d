// aiohttp's connector, aiohttp issues 253 and 835 (pull request 861).
//
// A request takes a place and connects. If connecting fails, the place is not given back; a few failures later every
// request waits for a place that nobody has.

#include <deque>
#include <stdexcept>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "AIO-03",
                                    .upstream = "aiohttp #835, #253",
                                    .title = "connector: a connection that fails keeps its place",
                                    .invariant = Invariant::permits,
                                    .pattern = Pattern::late_unregistration,
                                    .finding = FindingKind::stuck});

enum class OnError { keeps_place, gives_place_back };

template <OnError on_error>
class Connector {
public:
    void connect() {
        places_.acquire();
        try {
            sleep(0s);
            if (fault("connect")) {
                throw std::runtime_error("connection refused");
            }
        } catch (const std::exception&) {
            if (on_error == OnError::gives_place_back) {
                places_.release();
            }
            throw;
        }
    }
    void close() { places_.release(); }

private:
    Semaphore places_{1};
};

template <OnError on_error>
void request() {
    Connector<on_error> connector;
    const auto fetch = [&] {
        try {
            connector.connect();
        } catch (const std::runtime_error&) {
            return;
        }
        sleep(0s);
        connector.close();
    };
    join(create_task(fetch, {.name = "request"}), create_task(fetch, {.name = "request"}));
}

}  // namespace

MISHAP_SCENARIO("AIO-03/buggy") { request<OnError::keeps_place>(); }
MISHAP_SCENARIO("AIO-03/fixed") { request<OnError::gives_place_back>(); }
