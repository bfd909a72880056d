#include "channel.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <mishap/properties/detail/watchdog.hpp>
#include <unistd.h>

namespace mishap::detail {

namespace {

bool is_last_word(char kind) {
    const auto word = static_cast<LastWord>(kind);
    return word == LastWord::hung || word == LastWord::stack_overflow || word == LastWord::mishap_bug;
}

}  // namespace

bool send(int fd, MessageKind kind, std::string_view content) {
    const std::uint64_t size = content.size();
    std::string bytes(1, static_cast<char>(kind));
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += content;
    for (std::size_t at = 0; at < bytes.size();) {
        const ssize_t written = ::write(fd, bytes.data() + at, bytes.size() - at);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        at += written > 0 ? static_cast<std::size_t>(written) : 0;
    }
    return true;
}

bool send(int fd, const Progress& progress) {
    static_assert(std::is_trivially_copyable_v<Progress>, "it goes through the pipe as it is");
    return send(fd, MessageKind::progress, {reinterpret_cast<const char*>(&progress), sizeof progress});
}

bool MessageReader::take(Message& message) {
    if (bytes_.empty()) {
        return false;
    }
    message.kind = bytes_.front();
    message.content.clear();
    if (is_last_word(message.kind)) {
        bytes_.erase(0, 1);
        return true;
    }
    std::uint64_t size = 0;
    constexpr std::size_t head = 1 + sizeof size;
    if (bytes_.size() < head) {
        return false;
    }
    std::memcpy(&size, bytes_.data() + 1, sizeof size);
    if (bytes_.size() - head < size) {
        return false;
    }
    message.content = bytes_.substr(head, size);
    bytes_.erase(0, head + size);
    return true;
}

Progress progress_from(const std::string& content) {
    Progress progress;
    std::memcpy(&progress, content.data(), sizeof progress);
    return progress;
}

}  // namespace mishap::detail
