#include "differential/program.hpp"

#include <mishap/primitives/barrier.hpp>
#include <mishap/primitives/queue.hpp>

namespace mishap::test {

std::string describe(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const CancelledError& error) {
        return error.message().empty() ? "cancelled" : "cancelled (" + error.message() + ")";
    } catch (const ExceptionGroup& group) {
        std::string all;
        for (const std::exception_ptr& inner : group.exceptions()) {
            all += (all.empty() ? "" : ", ") + describe(inner);
        }
        return "group [" + all + "]";
    } catch (const TimeoutError&) {
        return "timed out";
    } catch (const InvalidStateError&) {
        return "invalid state";
    } catch (const QueueEmpty&) {
        return "queue empty";
    } catch (const QueueFull&) {
        return "queue full";
    } catch (const QueueShutDown&) {
        return "queue shut down";
    } catch (const BrokenBarrierError&) {
        return "barrier broken";
    } catch (const Boom& error) {
        return std::string("failed: ") + error.what();
    } catch (const UsageError&) {
        return "usage error";
    }
}

void Log::operator()(const std::string& what) {
    std::string who = "outside";
    if (loop.is_running()) {
        const AnyTask task = current_task();
        who = task.is_valid() ? task.get_name() : "callback";
        if (who.rfind("Task-", 0) == 0) {
            who = "task";  // names that the loop makes up differ between the two
        }
    }
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(loop.time().time_since_epoch());
    lines.push_back("(" + text(now.count()) + ") " + who + " " + what);
}

void Log::run(const detail::AnyFuture& future) {
    const EventLoop::Outcome outcome = loop.run_main(future.state());
    if (outcome == EventLoop::Outcome::stuck) {
        (*this)("stuck");
    } else if (!future.done()) {
        (*this)("usage error");
    } else if (future.cancelled()) {
        const std::string* const message = future.state().take_cancel_message();
        (*this)(message == nullptr ? "cancelled" : "cancelled (" + *message + ")");
    } else if (const std::exception_ptr exception = future.exception()) {
        (*this)(describe(exception));
    } else {
        (*this)("done");
    }
}

std::vector<std::string> run_program(const Program& program, const WorldOptions& options) {
    World world(options);
    world.begin_run(nullptr);
    EventLoop loop(world);
    loop.begin_run();
    Log log(loop);
    loop.set_exception_handler([&log](EventLoop&, const LoopException& what) {
        if (what.message.find("callback") != std::string::npos) {
            log("handler: " + describe(what.exception));
        }
    });
    if (program.main != nullptr) {
        log.run(loop.create_task([&] { program.main(log); }, {.name = "main"}));
    } else {
        program.with_loop(log);
    }
    std::vector<std::string> lines = log.lines;
    // What is left goes without a word: how it is torn down is no part of the comparison.
    loop.tear_down();
    loop.end_run();
    return lines;
}

}  // namespace mishap::test
