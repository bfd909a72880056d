// Node.js, virtual file system, pull request 64394 (2026).
//
// A read stream opens its file in the background. A read that comes before the file is open uses a descriptor
// that is not there yet.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "NOD-03",
                                    .upstream = "Node.js pull request 64394",
                                    .title = "VirtualReadStream: reads before its file is open",
                                    .invariant = Invariant::lifecycle,
                                    .pattern = Pattern::check_then_suspend});

enum class Read { at_once, once_open };

template <Read reads>
class ReadStream {
public:
    ReadStream()
        : opening_(create_task(
              [this] {
                  sleep(0s);  // looks the file up
                  file_.made();
              },
              {.name = "opening"})) {}

    void read() {
        if (reads == Read::once_open) {
            await(opening_);
        }
        file_.data();
    }
    void close() {
        await(opening_);
        file_.lost();
    }

private:
    Lifecycle file_;
    Task<void> opening_;
};

template <class S>
void read_file() {
    S stream;
    const auto reader = create_task(
        [&] {
            sleep(0s);
            sleep(0s);
            stream.read();
        },
        {.name = "reader"});
    join(reader);
    stream.close();
}

}  // namespace

MISHAP_SCENARIO("NOD-03/buggy") { read_file<ReadStream<Read::at_once>>(); }
MISHAP_SCENARIO("NOD-03/fixed") { read_file<ReadStream<Read::once_open>>(); }
