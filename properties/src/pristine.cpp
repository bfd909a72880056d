#include <mishap/properties/detail/pristine.hpp>

#include <cerrno>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mishap/properties/detail/divergence.hpp>
#include <mishap/properties/detail/story.hpp>
#include <mishap/properties/detail/watchdog.hpp>

namespace mishap::detail {

namespace {

bool write_all(int fd, const void* data, std::size_t size) {
    const char* at = static_cast<const char*>(data);
    while (size != 0) {
        const ssize_t written = ::send(fd, at, size, MSG_NOSIGNAL);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        at += written;
        size -= static_cast<std::size_t>(written);
    }
    return true;
}

bool read_all(int fd, void* data, std::size_t size) {
    char* at = static_cast<char*>(data);
    while (size != 0) {
        const ssize_t got = ::read(fd, at, size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

}  // namespace

PristineChild::PristineChild(Program& program, World& world, const std::string& name,
                             std::chrono::nanoseconds step_time_max) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return;
    }
    process_ = ::fork();
    if (process_ == 0) {
        ::close(ends[0]);
        socket_ = ends[1];
        serve(program, world, name, step_time_max);
    }
    ::close(ends[1]);
    socket_ = ends[0];
}

PristineChild::~PristineChild() {
    if (socket_ >= 0) {
        ::close(socket_);
    }
    if (process_ > 0) {
        int status = 0;
        while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
    }
}

void PristineChild::serve(Program& program, World& world, const std::string& name, std::chrono::nanoseconds step_time_max) {
    std::uint64_t count = 0;
    if (!read_all(socket_, &count, sizeof count)) {
        ::_exit(0);  // nobody asked
    }
    Tape tape(count);
    if (!read_all(socket_, tape.data(), count * sizeof(Choice))) {
        ::_exit(1);
    }
    // The timer of the parent's watchdog is not inherited.
    const Watchdog watchdog(world, name + ", replayed as if it were the first run", {}, step_time_max);
    const TracedRun traced = trace_tape(program, world, tape, false);
    const Answer answer{traced.run.digest, traced.run.finding.has_value()};
    char wants_events = 0;
    if (!write_all(socket_, &answer, sizeof answer) || !read_all(socket_, &wants_events, sizeof wants_events)) {
        ::_exit(0);
    }
    std::string text;
    for (const TraceEvent& event : traced.events) {
        text += describe_event(event, traced.names) + '\n';
    }
    write_all(socket_, text.data(), text.size());
    ::_exit(0);
}

std::optional<PristineChild::Answer> PristineChild::replay(std::span<const Choice> tape) {
    const std::uint64_t count = tape.size();
    Answer answer;
    if (process_ <= 0 || !write_all(socket_, &count, sizeof count) ||
        !write_all(socket_, tape.data(), count * sizeof(Choice)) || !read_all(socket_, &answer, sizeof answer)) {
        return std::nullopt;
    }
    return answer;
}

std::vector<std::string> PristineChild::events() {
    const char wants_events = 1;
    std::vector<std::string> events;
    if (!write_all(socket_, &wants_events, sizeof wants_events)) {
        return events;
    }
    std::string line;
    for (char c = 0; read_all(socket_, &c, 1);) {
        if (c == '\n') {
            events.push_back(std::move(line));
            line.clear();
        } else {
            line += c;
        }
    }
    return events;
}

}  // namespace mishap::detail
