// tokio-util's CancellationToken, tokio-rs/tokio #7462.
//
// `run_until_cancelled` polls the work first and the token second. Work that is ready every time is never
// interrupted, although the token was cancelled long ago.

#include <optional>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "TOK-12",
     .upstream = "tokio #7462",
     .title = "CancellationToken: cancelled already, it lets work run that is ready",
     .invariant = Invariant::cancel_honoured,
     .pattern = Pattern::cancellation_swallowed});

enum class Looks { at_work_first, at_token_first };

class Token {
public:
    void cancel() { is_cancelled_ = true; }
    bool is_cancelled() const { return is_cancelled_; }

private:
    bool is_cancelled_ = false;
};

/// Calls `poll()` until it has something or the token is cancelled; then it returns nothing.
template <Looks looks, class F>
std::optional<int> run_until_cancelled(const Token& token, F poll) {
    for (;;) {
        if (looks == Looks::at_token_first && token.is_cancelled()) {
            return std::nullopt;
        }
        if (const std::optional<int> result = poll()) {
            return result;
        }
        if (token.is_cancelled()) {
            return std::nullopt;
        }
        sleep(1s);
    }
}

template <Looks looks>
void process() {
    Token token;
    std::deque<int> jobs{1, 2, 3};
    const auto next_job = [&]() -> std::optional<int> {
        if (jobs.empty()) {
            return std::nullopt;
        }
        const int job = jobs.front();
        jobs.pop_front();
        return job;
    };
    const auto worker = create_task(
        [&] {
            while (!jobs.empty()) {
                const bool was_cancelled = token.is_cancelled();
                if (!run_until_cancelled<looks>(token, next_job)) {
                    return;
                }
                claim(!was_cancelled, Invariant::cancel_honoured);
                sleep(0s);
            }
        },
        {.name = "worker"});
    const auto stopper = create_task(
        [&] {
            sleep(1s);
            token.cancel();
        },
        {.name = "stopper"});
    join(worker, stopper);
}

}  // namespace

MISHAP_SCENARIO("TOK-12/buggy", .time_passes = 1) { process<Looks::at_work_first>(); }
MISHAP_SCENARIO("TOK-12/fixed", .time_passes = 1) { process<Looks::at_token_first>(); }
