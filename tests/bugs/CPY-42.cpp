// asyncio.StreamWriter.drain, bpo-29930 (pull request 94705), repaired in CPython 3.10.6.
//
// Two tasks write to one stream, and both wait until it has drained. There is one place for a waiter: upstream asserted
// that it is free. Here the second takes it, and the first is never woken.

#include <utility>
#include <vector>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-42",
                                    .upstream = "bpo-29930",
                                    .title = "drain: one place for a waiter, and two who wait",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::records_drift,
                                    .finding = FindingKind::stuck});

enum class Waiters { one, any_number };

template <Waiters number>
class Stream : public std::enable_shared_from_this<Stream<number>> {
public:
    void write(int bytes) {
        if (buffered_ == 0) {
            get_running_loop().call_soon([self = this->shared_from_this()] { self->flush(); });
        }
        buffered_ += bytes;
    }

    void drain() {
        if (buffered_ > high_water_bytes) {
            const auto drained = get_running_loop().create_future<void>();
            if (number == Waiters::one) {
                waiters_.clear();
            }
            waiters_.push_back(drained);
            await(drained);
        }
    }

private:
    static constexpr int high_water_bytes = 1;

    void flush() {
        buffered_ = 0;
        for (const Future<void>& waiter : std::exchange(waiters_, {})) {
            if (!waiter.done()) {
                waiter.set_result();
            }
        }
    }

    int buffered_ = 0;
    std::vector<Future<void>> waiters_;
};

template <Waiters number>
void write_from_two() {
    const auto stream = std::make_shared<Stream<number>>();
    const auto write = [stream] {
        stream->write(2);
        stream->drain();
    };
    const auto first = create_task(write, {.name = "writer"});
    const auto second = create_task(
        [&] {
            sleep(0s);
            write();
        },
        {.name = "writer"});
    join(first, second);
}

}  // namespace

MISHAP_SCENARIO("CPY-42/buggy") { write_from_two<Waiters::one>(); }
MISHAP_SCENARIO("CPY-42/fixed") { write_from_two<Waiters::any_number>(); }
