#include "supervisor.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <mishap/sim/errors.hpp>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.hpp"

namespace mishap::detail {

namespace {

volatile std::sig_atomic_t interrupted_by = 0;

void note_interruption(int signal) { interrupted_by = signal; }

/// Lets the user interrupt this process without leaving workers or half a run behind.
class InterruptionWatch {
public:
    InterruptionWatch() {
        struct sigaction action = {};
        action.sa_handler = note_interruption;  // no SA_RESTART: poll() is to return
        ::sigaction(SIGINT, &action, &previous_interrupt_);
        ::sigaction(SIGTERM, &action, &previous_terminate_);
        ::sigaction(SIGHUP, &action, &previous_hangup_);
    }
    ~InterruptionWatch() { restore(); }
    InterruptionWatch(const InterruptionWatch&) = delete;
    InterruptionWatch& operator=(const InterruptionWatch&) = delete;

    void restore() const {
        ::sigaction(SIGINT, &previous_interrupt_, nullptr);
        ::sigaction(SIGTERM, &previous_terminate_, nullptr);
        ::sigaction(SIGHUP, &previous_hangup_, nullptr);
    }

private:
    struct sigaction previous_interrupt_ = {};
    struct sigaction previous_terminate_ = {};
    struct sigaction previous_hangup_ = {};
};

struct Worker {
    WorkerEnd end;
    int fd = -1;
    MessageReader inbox;
    Progress progress;
};

/// Does the work in the forked process, tells its outcome, and leaves as any process does, so that leak checkers look.
[[noreturn]] void work_and_leave(const Supervision& supervision, unsigned worker, int fd, pid_t supervisor) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != supervisor) {
        ::_exit(exit_fault);
    }
    set_supervisor(fd);
    try {
        send(fd, MessageKind::outcome, to_bytes(supervision.work(worker, fd)));
    } catch (const UsageError& error) {
        send(fd, MessageKind::usage, error.what());
    } catch (const std::exception& error) {
        send(fd, MessageKind::fault, error.what());
    }
    std::exit(0);
}

Worker start(const Supervision& supervision, unsigned number, const InterruptionWatch& watch) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "no pipe to a worker");
    }
    const pid_t self = ::getpid();
    const pid_t process = ::fork();
    if (process < 0) {
        throw std::system_error(errno, std::generic_category(), "no process for a worker");
    }
    if (process == 0) {
        watch.restore();
        ::close(ends[0]);
        work_and_leave(supervision, number, ends[1], self);
    }
    ::close(ends[1]);
    Worker worker;
    worker.end.worker = number;
    worker.end.process = process;
    worker.fd = ends[0];
    return worker;
}

void wait_for_end(Worker& worker) {
    while (::waitpid(worker.end.process, &worker.end.status, 0) < 0 && errno == EINTR) {
    }
    ::close(worker.fd);
    worker.fd = -1;
}

[[noreturn]] void leave_interrupted(std::vector<Worker>& workers, const Supervision& supervision) {
    for (Worker& worker : workers) {
        if (worker.fd >= 0) {
            ::kill(worker.end.process, SIGKILL);
            wait_for_end(worker);
            if (supervision.on_interrupt) {
                supervision.on_interrupt(worker.end.process);
            }
        }
    }
    std::fputs("\ninterrupted\n", stderr);
    std::fflush(nullptr);
    ::_exit(128 + static_cast<int>(interrupted_by));
}

void read_messages(Worker& worker, std::string& usage, std::string& fault) {
    MessageReader::Message message;
    while (worker.inbox.take(message)) {
        if (message.kind == static_cast<char>(MessageKind::progress)) {
            worker.progress = progress_from(message.content);
        } else if (message.kind == static_cast<char>(MessageKind::outcome)) {
            worker.end.outcome = from_bytes(message.content);
        } else if (message.kind == static_cast<char>(MessageKind::usage)) {
            usage = message.content;
        } else if (message.kind == static_cast<char>(MessageKind::fault)) {
            fault = message.content;
        } else {
            worker.end.last_word = static_cast<LastWord>(message.kind);
        }
    }
}

Progress total_of(const std::vector<Worker>& workers) {
    Progress total;
    for (const Worker& worker : workers) {
        total.runs += worker.progress.runs;
        total.digests += worker.progress.digests;
        total.elapsed = std::max(total.elapsed, worker.progress.elapsed);
    }
    return total;
}

}  // namespace

std::vector<WorkerEnd> supervise(unsigned count, const Supervision& supervision) {
    // What is in a buffer when a process forks is written twice.
    std::fflush(nullptr);
    const InterruptionWatch watch;
    std::vector<Worker> workers;
    for (unsigned number = 0; number < count; ++number) {
        workers.push_back(start(supervision, number, watch));
    }
    std::string usage;
    std::string fault;
    for (unsigned alive = count; alive != 0;) {
        std::vector<pollfd> polled;
        for (const Worker& worker : workers) {
            polled.push_back({worker.fd, POLLIN, 0});  // poll() skips the negative ones
        }
        const int ready = ::poll(polled.data(), polled.size(), -1);
        if (interrupted_by != 0) {
            leave_interrupted(workers, supervision);
        }
        for (std::size_t i = 0; ready > 0 && i < workers.size(); ++i) {
            if (polled[i].revents == 0) {
                continue;
            }
            std::array<char, 65536> buffer;
            const ssize_t size = ::read(workers[i].fd, buffer.data(), buffer.size());
            if (size > 0) {
                workers[i].inbox.append(buffer.data(), static_cast<std::size_t>(size));
                read_messages(workers[i], usage, fault);
            } else if (size == 0) {
                wait_for_end(workers[i]);
                --alive;
                if (supervision.on_end) {
                    supervision.on_end(workers[i].end);
                }
            }
        }
        if (supervision.on_progress && alive != 0) {
            supervision.on_progress(total_of(workers));
        }
    }
    if (!usage.empty()) {
        throw UsageError(usage);
    }
    if (!fault.empty()) {
        throw std::runtime_error(fault);
    }
    std::vector<WorkerEnd> ends;
    for (Worker& worker : workers) {
        ends.push_back(std::move(worker.end));
    }
    return ends;
}

}  // namespace mishap::detail
