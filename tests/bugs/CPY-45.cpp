// asyncio's selector transport, gh-103462 (pull request 103463), repaired in CPython 3.12.
//
// The kernel takes a part of what writelines offers. The rest is kept, but nobody asks to be told when there is room
// again: the tail is never sent, and the transport never closes.

#include <vector>

#include "fake_kernel.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-45",
                                    .upstream = "gh-103462",
                                    .title = "writelines: what the kernel did not take at once is never sent",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::late_unregistration,
                                    .finding = FindingKind::stuck});

enum class Tail { is_only_kept, is_sent_later };

template <Tail tail>
class Transport : public std::enable_shared_from_this<Transport<tail>> {
public:
    void writelines(const std::vector<int>& lines) {
        int bytes = 0;
        for (const int line : lines) {
            bytes += line;
        }
        buffered_ += bytes - kernel_.send(bytes);
        if (buffered_ > 0 && tail == Tail::is_sent_later) {
            add_writer();
        }
    }

    /// Waits until everything has been sent.
    void close() {
        if (buffered_ > 0) {
            closed_ = get_running_loop().create_future<void>();
            await(closed_);
        }
    }

    int received() const { return kernel_.received(); }

private:
    void add_writer() {
        get_running_loop().call_soon([self = this->shared_from_this()] { self->flush(); });
    }
    void flush() {
        kernel_.send_all(buffered_);
        buffered_ = 0;
        if (closed_.is_valid() && !closed_.done()) {
            closed_.set_result();
        }
    }

    FakeKernel kernel_;
    int buffered_ = 0;
    Future<void> closed_;
};

template <Tail tail>
void send_page() {
    const auto transport = std::make_shared<Transport<tail>>();
    const auto sender = create_task(
        [transport] {
            transport->writelines({2, 2});
            transport->close();
            claim(transport->received() == 4, Invariant::delivered_once);
        },
        {.name = "sender"});
    join(sender);
}

}  // namespace

MISHAP_SCENARIO("CPY-45/buggy") { send_page<Tail::is_only_kept>(); }
MISHAP_SCENARIO("CPY-45/fixed") { send_page<Tail::is_sent_later>(); }
