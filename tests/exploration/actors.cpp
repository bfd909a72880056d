#include "exploration/actors.hpp"

#include <chrono>

#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/gather.hpp>

namespace mishap::test {

void Actors::run() {
    if (kind_ == Kind::threads) {
        std::vector<Thread> threads;
        for (std::function<void()>& body : bodies_) {
            threads.emplace_back(body);
        }
        join_all(threads);
        return;
    }
    std::vector<Task<void>> tasks;
    for (std::function<void()>& body : bodies_) {
        tasks.push_back(create_task(body));
    }
    gather(tasks);
}

void Actors::before() {
    if (kind_ == Kind::tasks && detail::current_loop->current_task() != nullptr) {
        sleep(std::chrono::nanoseconds(0));
    }
}

void Actors::lock(Mutex mutex) {
    if (kind_ == Kind::threads) {
        mutexes_[mutex.index].lock();
    } else {
        before();
        locks_[mutex.index].acquire();
    }
}

void Actors::unlock(Mutex mutex) {
    if (kind_ == Kind::threads) {
        mutexes_[mutex.index].unlock();
    } else {
        before();
        locks_[mutex.index].release();
    }
}

}  // namespace mishap::test
