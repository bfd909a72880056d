#pragma once

// A table of file descriptors and what a selector knows of them. Descriptors are numbers, the lowest free one is given
// out first, and so a number that somebody still uses soon names something else.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <mishap/mishap.hpp>

#include "invariants.hpp"

namespace bugs {

/// A descriptor as who opened it knows it: the number, and the how-many-eth thing of that number it is.
struct Socket {
    int fd = -1;
    int generation = 0;
};

/// Kept by whoever uses it (`std::make_shared`): callbacks of the selector may outlive the program.
class FakeSockets : public std::enable_shared_from_this<FakeSockets> {
public:
    using RegistrationId = int;

    Socket open() {
        std::size_t fd = 0;
        while (fd < slots_.size() && slots_[fd].is_open) {
            ++fd;
        }
        if (fd == slots_.size()) {
            slots_.emplace_back();
        }
        Slot& slot = slots_[fd];
        slot.is_open = true;
        slot.data = 0;
        return {static_cast<int>(fd), ++slot.generation};
    }

    /// Closes what `socket` was opened as. To close a number that names something else by now is a use after the end.
    void close(Socket socket) {
        claim(is_open(socket), Invariant::no_use_after_end);
        slots_[static_cast<std::size_t>(socket.fd)].is_open = false;
    }
    /// Closes whatever the number names, as the operating system does.
    void close_number(int fd) { slots_[static_cast<std::size_t>(fd)].is_open = false; }

    bool is_open(Socket socket) const {
        const Slot& slot = slots_[static_cast<std::size_t>(socket.fd)];
        return slot.is_open && slot.generation == socket.generation;
    }
    std::size_t open_count() const {
        return static_cast<std::size_t>(
            std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.is_open; }));
    }

    /// Calls `callback` when there is data; replaces what was registered for the number.
    RegistrationId add_reader(Socket socket, std::function<void()> callback) {
        readers_[socket.fd] = {++last_id_, socket.generation, std::move(callback)};
        if (slots_[static_cast<std::size_t>(socket.fd)].data > 0) {
            call_reader(socket.fd);
        }
        return last_id_;
    }
    void remove_reader(int fd) { readers_.erase(fd); }
    bool is_registered(int fd, RegistrationId id) const {
        const auto found = readers_.find(fd);
        return found != readers_.end() && found->second.id == id;
    }

    /// Data comes in from the other side.
    void arrive(Socket socket, int bytes) {
        if (is_open(socket)) {
            slots_[static_cast<std::size_t>(socket.fd)].data += bytes;
            call_reader(socket.fd);
        }
    }
    /// Takes what has arrived.
    int read(Socket socket) { return std::exchange(slots_[static_cast<std::size_t>(socket.fd)].data, 0); }

private:
    struct Slot {
        bool is_open = false;
        int generation = 0;
        int data = 0;
    };
    struct Reader {
        RegistrationId id = 0;
        int generation = 0;
        std::function<void()> callback;
    };

    void call_reader(int fd) {
        const auto found = readers_.find(fd);
        if (found != readers_.end()) {
            // An event for who has closed its socket belongs to somebody else.
            claim(found->second.generation == slots_[static_cast<std::size_t>(fd)].generation,
                  Invariant::no_use_after_end);
            mishap::get_running_loop().call_soon(found->second.callback);
        }
    }

    std::vector<Slot> slots_;
    std::map<int, Reader> readers_;
    RegistrationId last_id_ = 0;
};

}  // namespace bugs
