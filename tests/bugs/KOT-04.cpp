// Kotlin's Mutex.tryLock(owner), Kotlin/kotlinx.coroutines #3745.
//
// The answer is made of three looks: is it free, is the owner mine, is it taken. The mutex changes hands
// between them, and the call says "somebody else has it" although nobody else ever had. The repair looks
// once.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "KOT-04",
                                    .upstream = "kotlinx.coroutines #3745",
                                    .title = "Mutex.tryLock(owner): an answer that was true at no time",
                                    .invariant = Invariant::consistent,
                                    .pattern = Pattern::check_then_suspend});

enum class Looks { thrice, once };
enum class Answer { acquired, already_mine, somebody_elses };

constexpr int nobody = 0;

template <Looks looks>
class OwnedMutex {
public:
    Answer try_lock(int owner) {
        for (;;) {
            int holder = nobody;
            if (holder_.compare_exchange(holder, owner)) {
                return Answer::acquired;
            }
            if (looks == Looks::once) {
                return holder == owner ? Answer::already_mine : Answer::somebody_elses;
            }
            if (holder_.fetch_add(0) == owner) {
                return Answer::already_mine;
            }
            if (holder_.fetch_add(0) != nobody) {
                return Answer::somebody_elses;
            }
        }
    }
    void unlock() { holder_.exchange(nobody); }

private:
    Shared<int> holder_{nobody, "holder"};
};

/// There is one owner only.
template <class M>
void lock_in_turn() {
    constexpr int me = 7;
    M mutex;
    const auto lock_twice = [&] {
        for (int i = 0; i < 2; ++i) {
            const Answer answer = mutex.try_lock(me);
            claim(answer != Answer::somebody_elses, Invariant::consistent);
            if (answer == Answer::acquired) {
                mutex.unlock();
            }
        }
    };
    together({{"caller", lock_twice}, {"caller", lock_twice}});
}

}  // namespace

MISHAP_SCENARIO("KOT-04/buggy") { lock_in_turn<OwnedMutex<Looks::thrice>>(); }
MISHAP_SCENARIO("KOT-04/fixed") { lock_in_turn<OwnedMutex<Looks::once>>(); }
