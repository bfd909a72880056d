#include <mishap/sim/real_threads.hpp>

#include <atomic>
#include <utility>

namespace mishap::detail {

namespace {

std::string& name_of_thread() {
    static thread_local std::string name;
    return name;
}

}  // namespace

RealThread begin_real_thread(std::function<void()> function, std::string name) {
    return RealThread([function = std::move(function), name = std::move(name)]() mutable {
        name_of_thread() = std::move(name);
        std::exchange(function, nullptr)();
    });
}

const std::string& real_thread_name() { return name_of_thread(); }

void sleep_in_real_thread(std::chrono::nanoseconds duration) { std::this_thread::sleep_for(duration); }

std::size_t real_threads_at_once() {
    const unsigned count = std::thread::hardware_concurrency();
    return count != 0 ? count : 1;
}

std::uint64_t real_thread_number() {
    static std::atomic<std::uint64_t> threads{0};
    static thread_local const std::uint64_t number = ++threads;
    return number;
}

}  // namespace mishap::detail
