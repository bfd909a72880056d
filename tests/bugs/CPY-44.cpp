// asyncio's selector transport, gh-127655 (pull request 127656, a security fix), repaired in CPython 3.13.1.
//
// writelines puts what the kernel did not take into the buffer, and does not look whether that makes the buffer too
// full: the writer is not paused, and who sends faster than the other side reads fills the memory.

#include <vector>

#include "fake_kernel.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-44",
                                    .upstream = "gh-127655",
                                    .title = "writelines: a buffer that is too full does not pause the writer",
                                    .invariant = Invariant::consistent,
                                    .pattern = Pattern::records_drift});

enum class Writelines { only_buffers, looks_at_the_limit };

template <Writelines writelines_does>
class Transport {
public:
    void write(int bytes) {
        buffer(bytes - (buffered_ == 0 ? kernel_.send(bytes) : 0));
        pause_if_too_full();
    }
    void writelines(const std::vector<int>& lines) {
        int bytes = 0;
        for (const int line : lines) {
            bytes += line;
        }
        buffer(bytes - (buffered_ == 0 ? kernel_.send(bytes) : 0));
        if (writelines_does == Writelines::looks_at_the_limit) {
            pause_if_too_full();
        }
    }
    /// The kernel has room again.
    void flush() {
        buffered_ -= kernel_.send(buffered_);
        if (buffered_ <= high_water_bytes) {
            is_paused_ = false;
        }
    }
    void check() const { claim(is_paused_ == (buffered_ > high_water_bytes), Invariant::consistent); }

private:
    static constexpr int high_water_bytes = 4;

    void buffer(int bytes) { buffered_ += bytes; }
    void pause_if_too_full() {
        if (buffered_ > high_water_bytes) {
            is_paused_ = true;
        }
    }

    FakeKernel kernel_;
    int buffered_ = 0;
    bool is_paused_ = false;
};

template <Writelines writelines_does>
void send_pages() {
    Transport<writelines_does> transport;
    transport.write(4);
    transport.check();
    transport.writelines({3, 3});
    transport.check();
    transport.flush();
    transport.check();
}

}  // namespace

MISHAP_SCENARIO("CPY-44/buggy") { send_pages<Writelines::only_buffers>(); }
MISHAP_SCENARIO("CPY-44/fixed") { send_pages<Writelines::looks_at_the_limit>(); }
