// Seastar's semaphore_units, issue #1465, commit c4733e50b.
//
// Units are given back when they are destroyed. Assigning others to them forgot those that they held.

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "SEA-08",
                                    .upstream = "Seastar #1465",
                                    .title = "semaphore_units: assignment loses the units that were held",
                                    .invariant = Invariant::permits,
                                    .pattern = Pattern::records_drift,
                                    .is_calm = true});

enum class Assignment { overwrites, gives_back_first };

/// What was taken of a semaphore.
template <Assignment assignment>
class Units {
public:
    Units() = default;
    explicit Units(Semaphore& semaphore) : semaphore_(&semaphore) { semaphore.acquire(); }
    Units(Units&& other) noexcept : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
    Units& operator=(Units&& other) noexcept {
        if (assignment == Assignment::gives_back_first) {
            give_back();
        }
        semaphore_ = std::exchange(other.semaphore_, nullptr);
        return *this;
    }
    ~Units() { give_back(); }

private:
    void give_back() {
        if (semaphore_ != nullptr) {
            semaphore_->release();
        }
    }
    Semaphore* semaphore_ = nullptr;
};

/// A reader keeps the units of the newest block only.
template <class U>
void read_blocks() {
    Semaphore memory(3);
    const auto reader = create_task(
        [&] {
            U newest;
            for (int block = 0; block < 3; ++block) {
                newest = U(memory);
            }
        },
        {.name = "reader"});
    join(reader);
    int free = 0;
    while (memory.try_lock()) {
        ++free;
    }
    claim(free == 3, Invariant::permits);
}

}  // namespace

MISHAP_SCENARIO("SEA-08/buggy") { read_blocks<Units<Assignment::overwrites>>(); }
MISHAP_SCENARIO("SEA-08/fixed") { read_blocks<Units<Assignment::gives_back_first>>(); }
