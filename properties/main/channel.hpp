#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <mishap/sim/explorer.hpp>

namespace mishap::detail {

// What a worker tells its supervisor, through a pipe: progress, and at last one of the others. Beside these there are the
// bytes of `LastWord`, which a dying process writes.

enum class MessageKind : char { progress = 'p', outcome = 'r', usage = 'u', fault = 'e' };

bool send(int fd, MessageKind kind, std::string_view content);
bool send(int fd, const Progress& progress);

/// Takes apart what comes out of the pipe, in whatever pieces.
class MessageReader {
public:
    struct Message {
        char kind = 0;  // of MessageKind or LastWord
        std::string content;
    };

    void append(const char* data, std::size_t size) { bytes_.append(data, size); }
    /// Returns whether there was a whole message, which is now in `message`.
    bool take(Message& message);

private:
    std::string bytes_;
};

Progress progress_from(const std::string& content);

}  // namespace mishap::detail
