#pragma once

// The other end of a transport: a kernel that may take less than it is offered.

#include <mishap/mishap.hpp>

namespace bugs {

class FakeKernel {
public:
    /// Takes some of `bytes`, calmly all of them; returns how many.
    int send(int bytes) {
        int taken = bytes;
        if (bytes > 0) {
            switch (mishap::choose(3, "bytes sent")) {
                case 1: taken = bytes / 2; break;
                case 2: taken = 0; break;
                default: break;
            }
        }
        received_ += taken;
        return taken;
    }
    /// Takes all of `bytes`: once it says that it is writable again it has room.
    void send_all(int bytes) { received_ += bytes; }

    /// Returns how many bytes have reached the other side.
    int received() const { return received_; }

private:
    int received_ = 0;
};

}  // namespace bugs
