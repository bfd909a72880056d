// Asynchronous generators, bpo-30773 (pull request 7468), repaired in CPython 3.8.
//
// A generator waits inside its next value, and somebody closes it. Nothing says that it is in use, so both run its body
// at once: the one that cleans up, and the one that still reads.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-53",
                                    .upstream = "bpo-30773",
                                    .title = "async generator: aclose while the next value is awaited",
                                    .invariant = Invariant::mutual_exclusion,
                                    .pattern = Pattern::reentrancy});

enum class SecondOperation { begins, is_refused };

template <SecondOperation second>
class Lines {
public:
    /// Reads a line.
    void next() {
        const Operation operation(*this);
        sleep(900ms);
    }
    /// Ends the generator.
    void aclose() {
        const Operation operation(*this);
        sleep(0s);
    }

private:
    class Operation {
    public:
        explicit Operation(Lines& lines) : lines_(lines), inside_(admit(lines)) { lines_.is_running_ = true; }
        ~Operation() { lines_.is_running_ = false; }
        Operation(const Operation&) = delete;
        Operation& operator=(const Operation&) = delete;

    private:
        static MutualExclusion& admit(Lines& lines) {
            if (lines.is_running_ && second == SecondOperation::is_refused) {
                throw UsageError("the generator is already running");
            }
            return lines.operations_;
        }

        Lines& lines_;
        MutualExclusion::Inside inside_;
    };

    MutualExclusion operations_;
    bool is_running_ = false;
};

template <SecondOperation second>
void read_and_close() {
    Lines<second> lines;
    const auto reader = create_task([&] { lines.next(); }, {.name = "reader"});
    const auto closer = create_task(
        [&] {
            sleep(1s);
            try {
                lines.aclose();
            } catch (const UsageError&) {
                join(reader);
                lines.aclose();
            }
        },
        {.name = "closer"});
    join(reader, closer);
}

}  // namespace

MISHAP_SCENARIO("CPY-53/buggy", .timer_slack = 200ms) { read_and_close<SecondOperation::begins>(); }
MISHAP_SCENARIO("CPY-53/fixed", .timer_slack = 200ms) { read_and_close<SecondOperation::is_refused>(); }
