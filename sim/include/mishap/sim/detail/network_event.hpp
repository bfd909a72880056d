#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace mishap::detail {

/// Something that will happen in the simulated network.
struct NetworkEvent {
    enum class Kind : std::uint8_t {
        connect_asks,      // at the listening host
        connect_answered,  // back at the connecting one
        flow,              // the first piece in flight of a direction arrives
        window,            // a sender learns that its peer has read
        datagram,
        datagram_refused   // a sender learns that nobody is there
    };

    std::int64_t time_ns = 0;
    std::uint64_t order = 0;  // of sending
    Kind kind = Kind::flow;
    std::uint8_t direction = 0;
    int error = 0;
    std::uint32_t index = 0;   // of a connection, packet or descriptor
    std::uint64_t serial = 0;  // tells it from others in the same slot
};

/// What will happen, by time; at one time, by order of sending.
class NetworkEvents {
public:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    std::int64_t next_ns() const { return heap_.empty() ? never : heap_.front().time_ns; }
    void push(NetworkEvent event) {
        event.order = ++order_;
        heap_.push_back(event);
        std::push_heap(heap_.begin(), heap_.end(), is_later);
    }
    NetworkEvent pop() {
        std::pop_heap(heap_.begin(), heap_.end(), is_later);
        const NetworkEvent event = heap_.back();
        heap_.pop_back();
        return event;
    }
    void clear() {
        heap_.clear();
        order_ = 0;
    }

private:
    static bool is_later(const NetworkEvent& a, const NetworkEvent& b) {
        return a.time_ns != b.time_ns ? a.time_ns > b.time_ns : a.order > b.order;
    }

    std::vector<NetworkEvent> heap_;
    std::uint64_t order_ = 0;
};

}  // namespace mishap::detail
