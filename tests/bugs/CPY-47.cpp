// asyncio's selector transport, gh-156512 (pull request 156657).
//
// The buffer has drained, and the transport tells its protocol to write on. The protocol closes the transport instead,
// which schedules connection_lost because nothing is left to send. The transport goes on, sees that it is closing and
// empty, and schedules connection_lost too.

#include "fake_kernel.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-47",
                                    .upstream = "gh-156512",
                                    .title = "transport: closed from resume_writing, it loses its connection twice",
                                    .invariant = Invariant::lifecycle,
                                    .pattern = Pattern::reentrancy});

enum class AfterResume { trusts_what_it_knew, looks_again };

template <AfterResume after_resume>
class Transport : public std::enable_shared_from_this<Transport<after_resume>> {
public:
    Lifecycle protocol;
    bool is_last_page = false;

    void write(int bytes) {
        buffered_ += bytes - kernel_.send(bytes);
        if (buffered_ > 0 && !is_paused_) {
            is_paused_ = true;
            call_soon(&Transport::write_ready);
        }
    }

    void close() {
        is_closing_ = true;
        if (buffered_ == 0) {
            lose_connection();
        }
    }
    bool is_paused() const { return is_paused_; }

private:
    void call_soon(void (Transport::*function)()) {
        get_running_loop().call_soon([self = this->shared_from_this(), function] { (*self.*function)(); });
    }

    void write_ready() {
        kernel_.send_all(buffered_);
        buffered_ = 0;
        is_paused_ = false;
        resume_writing();
        if (is_closing_ && buffered_ == 0 &&
            (after_resume == AfterResume::trusts_what_it_knew || !is_loss_scheduled_)) {
            lose_connection();
        }
    }
    /// The protocol's: it was waiting to send what it has, and has nothing more.
    void resume_writing() {
        if (is_last_page) {
            close();
        }
    }
    void lose_connection() {
        is_loss_scheduled_ = true;
        call_soon(&Transport::connection_lost);
    }
    void connection_lost() { protocol.lost(); }

    FakeKernel kernel_;
    int buffered_ = 0;
    bool is_paused_ = false;
    bool is_closing_ = false;
    bool is_loss_scheduled_ = false;
};

template <AfterResume after_resume>
void send_page() {
    const auto transport = std::make_shared<Transport<after_resume>>();
    transport->protocol.made();
    const auto sender = create_task(
        [transport] {
            transport->write(2);
            transport->is_last_page = true;
            if (!transport->is_paused()) {
                transport->close();
            }
            sleep(std::chrono::seconds(1));
            claim(transport->protocol.is_lost(), Invariant::lifecycle);
        },
        {.name = "sender"});
    join(sender);
}

}  // namespace

MISHAP_SCENARIO("CPY-47/buggy") { send_page<AfterResume::trusts_what_it_knew>(); }
MISHAP_SCENARIO("CPY-47/fixed") { send_page<AfterResume::looks_again>(); }
