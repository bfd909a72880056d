#pragma once

// The coroutine type in which the threads of a machine are written.

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace mishap::test {

/// The code of a machine's thread, or a part of it that such code awaits.
///
/// A body begins when it is awaited or handed to a machine, and owns its frame. Frames come from a pool, so that a
/// machine that plays one program again and again allocates nothing.
class [[nodiscard]] ThreadBody {
public:
    struct promise_type;
    using Handle = std::coroutine_handle<promise_type>;

    struct promise_type {
        std::coroutine_handle<> awaiter;  // goes on when this ends; none: the thread is over

        static void* operator new(std::size_t size);
        static void operator delete(void* frame, std::size_t size);

        ThreadBody get_return_object() { return ThreadBody(Handle::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        auto final_suspend() noexcept {
            struct GoOn {
                bool await_ready() noexcept { return false; }
                std::coroutine_handle<> await_suspend(Handle ended) noexcept {
                    const std::coroutine_handle<> awaiter = ended.promise().awaiter;
                    return awaiter ? awaiter : std::noop_coroutine();
                }
                void await_resume() noexcept {}
            };
            return GoOn{};
        }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }  // programs of a machine do not throw
    };

    ThreadBody() = default;
    explicit ThreadBody(Handle handle) : handle_(handle) {}
    ThreadBody(ThreadBody&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    ThreadBody& operator=(ThreadBody&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~ThreadBody() {
        if (handle_) {
            handle_.destroy();
        }
    }

    Handle handle() const { return handle_; }
    bool is_over() const { return handle_.done(); }

    // Awaited by another body: a call.
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
        handle_.promise().awaiter = awaiter;
        return handle_;
    }
    void await_resume() const noexcept {}

private:
    Handle handle_;
};

}  // namespace mishap::test
