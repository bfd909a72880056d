#pragma once

// The one home of threads of the operating system, and of what they wait on. In a simulated world nothing here is used.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace mishap::detail {

using RealThread = std::thread;
using RealMutex = std::mutex;
using RealCondVar = std::condition_variable;

/// Begins a thread that calls `function()`; what leaves the function ends the process.
RealThread begin_real_thread(std::function<void()> function, std::string name);
/// Returns the name that the calling thread was begun with; empty: none.
const std::string& real_thread_name();
void sleep_in_real_thread(std::chrono::nanoseconds duration);
/// Returns how many threads the machine can run at once, at least 1.
std::size_t real_threads_at_once();
/// Returns a number that tells the calling thread from all others that live.
std::uint64_t real_thread_number();

}  // namespace mishap::detail
