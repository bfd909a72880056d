#pragma once

#include <chrono>
#include <cstdint>

namespace mishap {

/// How the simulated network carries what one host sends to another. As made, a calm link: a fixed delay, nothing lost.
///
/// Parts per million are the odds of one message (or of one piece of a stream); each is a choice of its own, whose calm answer
/// is that nothing happens. With the odds at zero and one delay nothing is asked.
struct LinkProfile {
    /// How long a message takes: one of at most eight times from the one to the other. Streams stay in order, datagrams need not.
    std::chrono::nanoseconds delay_min = std::chrono::milliseconds(1);
    std::chrono::nanoseconds delay_max = std::chrono::milliseconds(1);

    std::uint32_t loss_ppm = 0;         // a datagram is gone; a piece of a stream is sent again later
    std::uint32_t duplication_ppm = 0;  // a datagram arrives twice
    std::uint32_t reordering_ppm = 0;   // a datagram takes twice as long, so that others overtake it
    std::uint32_t partial_ppm = 0;      // a stream takes or gives less than it could: one byte, or half

    std::uint64_t bytes_per_second = 0;  // 0: without limit

    /// Of connections over this link, unless an option of the socket says otherwise: how much a sender can be ahead of its peer
    /// is the sum of its own sending buffer and the peer's receiving one.
    std::uint32_t send_buffer_bytes = 64 * 1024;
    std::uint32_t receive_buffer_bytes = 64 * 1024;

    /// Datagrams larger than this are refused when they are sent; the largest that IPv4 can carry.
    std::uint32_t datagram_bytes_max = 65'507;

    friend bool operator==(const LinkProfile&, const LinkProfile&) = default;

    /// Returns the calm profile of what a host sends to itself.
    static LinkProfile within_host() {
        LinkProfile profile;
        profile.delay_min = profile.delay_max = std::chrono::microseconds(10);
        return profile;
    }
};

}  // namespace mishap
