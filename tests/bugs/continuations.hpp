#pragma once

// A condition whose waiters are functions, called where it is signalled: what several C++ libraries do to
// save a switch.

#include <deque>
#include <functional>
#include <utility>

namespace bugs {

using Continuation = std::function<void()>;

/// The functions that wait, oldest first.
class Continuations {
public:
    void add(Continuation continuation) { line_.push_back(std::move(continuation)); }
    bool empty() const { return line_.empty(); }
    Continuation take_first() {
        Continuation first = std::move(line_.front());
        line_.pop_front();
        return first;
    }
    /// Returns all that wait and begins with an empty line.
    std::deque<Continuation> take_all() { return std::exchange(line_, {}); }

private:
    std::deque<Continuation> line_;
};

}  // namespace bugs
