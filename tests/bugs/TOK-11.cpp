// tokio's join!, tokio-rs/tokio #4624 (compare #5686 on the scheduler's LIFO slot).
//
// Branches that are joined share one task, and a budget after which the task gives way. They are polled in
// the order in which they are written: a first branch that is always ready uses the budget up, every time.
// The repair begins with another branch each time.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TOK-11",
                                    .upstream = "tokio #4624",
                                    .title = "join!: a first branch that is always ready starves the others",
                                    .invariant = Invariant::bounded_bypass,
                                    .pattern = Pattern::starvation,
                                    .is_calm = true});

enum class Begins { with_first, in_rotation };

/// A branch: what it has still to do, and its place among those that want to run.
struct Branch {
    int items;
    BoundedBypass::Ticket ticket = 0;
};

template <Begins begins>
void join_branches(std::vector<Branch>& branches, BoundedBypass& queue) {
    constexpr int budget_per_step = 4;
    std::size_t first = 0;
    const auto is_done = [](const Branch& branch) { return branch.items == 0; };
    for (Branch& branch : branches) {
        branch.ticket = queue.arrive();
    }
    while (!std::all_of(branches.begin(), branches.end(), is_done)) {
        int budget = budget_per_step;
        for (std::size_t i = 0; i < branches.size(); ++i) {
            Branch& branch = branches[(first + i) % branches.size()];
            for (; branch.items > 0 && budget > 0; --budget) {
                queue.serve(branch.ticket);
                if (--branch.items > 0) {
                    branch.ticket = queue.arrive();
                }
            }
        }
        if (begins == Begins::in_rotation) {
            ++first;
        }
        sleep(0s);
    }
}

/// A download that always has data beside a heartbeat. Twice the budget is as long as anybody has to wait.
template <Begins begins>
void download() {
    BoundedBypass queue(8);
    const auto session = create_task(
        [&] {
            std::vector<Branch> branches{Branch{40}, Branch{2}};
            join_branches<begins>(branches, queue);
        },
        {.name = "session"});
    join(session);
}

}  // namespace

MISHAP_SCENARIO("TOK-11/buggy") { download<Begins::with_first>(); }
MISHAP_SCENARIO("TOK-11/fixed") { download<Begins::in_rotation>(); }
