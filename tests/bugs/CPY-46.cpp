// asyncio's selector transport, gh-155888; gh-136234 is a write after the connection was lost.
//
// The buffer is a list of chunks. An empty chunk is never taken off it, because nothing of it is ever sent: the buffer
// is never empty, and the transport never closes.

#include <deque>
#include <vector>

#include "fake_kernel.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-46",
                                    .upstream = "gh-155888, gh-136234",
                                    .title = "writelines: an empty chunk is never sent, so close never ends",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::close_forgets,
                                    .finding = FindingKind::stuck});

enum class EmptyChunks { are_kept, are_dropped };

template <EmptyChunks empty_chunks>
class Transport : public std::enable_shared_from_this<Transport<empty_chunks>> {
public:
    void writelines(const std::vector<int>& chunks) {
        for (const int chunk : chunks) {
            if (chunk > 0 || empty_chunks == EmptyChunks::are_kept) {
                buffer_.push_back(chunk);
            }
        }
        flush();
    }

    /// Waits until everything has been sent.
    void close() {
        if (!buffer_.empty()) {
            closed_ = get_running_loop().create_future<void>();
            await(closed_);
        }
    }

private:
    /// Sends what the kernel takes, and asks to be told when it takes more.
    void flush() {
        int offered = 0;
        for (const int chunk : buffer_) {
            offered += chunk;
        }
        int taken = offered > 0 && is_first_ ? kernel_.send(offered) : offered;
        is_first_ = false;
        while (taken > 0) {
            const int part = std::min(taken, buffer_.front());
            taken -= part;
            buffer_.front() -= part;
            if (buffer_.front() == 0) {
                buffer_.pop_front();
            }
        }
        if (buffer_.empty() && closed_.is_valid() && !closed_.done()) {
            closed_.set_result();
        } else if (offered > 0 && !buffer_.empty()) {
            get_running_loop().call_soon([self = this->shared_from_this()] { self->flush(); });
        }
    }

    FakeKernel kernel_;
    bool is_first_ = true;  // afterwards the kernel has said that it has room
    std::deque<int> buffer_;
    Future<void> closed_;
};

template <EmptyChunks empty_chunks>
void send_page() {
    const auto transport = std::make_shared<Transport<empty_chunks>>();
    const auto sender = create_task(
        [transport] {
            const bool has_body = !fault("no body");
            transport->writelines({2, has_body ? 2 : 0});
            transport->close();
        },
        {.name = "sender"});
    join(sender);
}

}  // namespace

MISHAP_SCENARIO("CPY-46/buggy") { send_page<EmptyChunks::are_kept>(); }
MISHAP_SCENARIO("CPY-46/fixed") { send_page<EmptyChunks::are_dropped>(); }
