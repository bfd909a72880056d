// Runs programs of the language in mishap; language.py is its twin.

#include <functional>
#include <map>
#include <memory>

#include <mishap/primitives/as_completed.hpp>
#include <mishap/primitives/ensure_future.hpp>
#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/shield.hpp>
#include <mishap/primitives/task_group.hpp>
#include <mishap/primitives/timeout.hpp>
#include <mishap/primitives/wait.hpp>
#include <mishap/primitives/wait_for.hpp>
#include <mishap/sim/detail/tape_words.hpp>

#include "differential/language.hpp"
#include "differential/language_objects.hpp"
#include "differential/program.hpp"

namespace mishap::test::language {

namespace {

using Seconds = std::chrono::seconds;

/// What the bodies around an operation have opened. Who was started in them may outlive them.
struct Scope {
    std::shared_ptr<TaskGroup> group;
    std::shared_ptr<Timeout> timeout;
};

class Interpreter;
using Operator = std::string (Interpreter::*)(const Operation&, const Scope&);

std::optional<Seconds> delay_of(const Operation& operation) {
    const std::optional<int> number = operation.numbers.at(0);
    return number.has_value() ? std::optional<Seconds>(Seconds(*number)) : std::nullopt;
}

/// Returns what a log calls the operation: it without its bodies.
std::string text_of(const Operation& operation) {
    std::string all = operation.kind;
    for (const std::string& name : operation.names) {
        all += " " + name;
    }
    for (const std::optional<int>& number : operation.numbers) {
        if (number.has_value()) {
            all += " " + text(*number);
        }
    }
    return all;
}

std::string name_of(const AnyTask& task) {
    const std::string name = task.get_name();
    return name.rfind("Task-", 0) == 0 ? "task"
                                       : name;  // names that the loop makes up differ between the two
}

std::string names_of(const std::vector<Task<std::int64_t>>& tasks) {
    std::string all;
    for (const Task<std::int64_t>& task : tasks) {
        all += (all.empty() ? "" : ", ") + name_of(task);
    }
    return "[" + all + "]";
}

const std::string done = "done";

class Interpreter {
public:
    Interpreter(Log& log, const Program& program) : log_(log), loop_(log.loop), program_(program) {}

    void main() {
        for (const Object& object : program_.objects) {
            Lock* const lock = object.argument.empty() ? nullptr : objects_.at(object.argument).lock.get();
            objects_[object.name] = make_shared(object, lock, loop_);
        }
        for (std::size_t i = 0; i < program_.tasks.size(); ++i) {
            const std::string name = "t" + std::to_string(i);
            tasks_[name] = spawn([this, i] { return run_body(program_.tasks[i], {}); }, name);
        }
        for (std::size_t i = 0; i < program_.tasks.size(); ++i) {
            log_.attempt("join", [&] { await(tasks_.at("t" + std::to_string(i))); });
        }
    }

    void look_at_all() {
        for (const Object& object : program_.objects) {
            log_(object.name + ": " + look(object.name));
        }
    }

private:
    /// Says what can be seen of an object or a task from outside.
    std::string look(const std::string& name) const {
        if (const auto found = objects_.find(name); found != objects_.end()) {
            return found->second.look();
        }
        const Task<std::int64_t>& task = tasks_.at(name);
        return "done " + truth(task.done()) + ", cancelled " + truth(task.cancelled()) + ", cancelling " +
               text(task.cancelling());
    }

    /// Runs operations one after the other; the result is when the last of them ended.
    std::int64_t run_body(const Body& body, const Scope& scope) {
        for (const Operation& operation : body) {
            run(operation, scope);
        }
        return std::chrono::duration_cast<Seconds>(loop_.time().time_since_epoch()).count();
    }

    void run(const Operation& operation, const Scope& scope) {
        const std::string what = text_of(operation);
        const Operator perform = operators().at(operation.kind);
        const std::string outcome = log_.watch(what, [&] { return (this->*perform)(operation, scope); });
        log_(what + ": " + outcome);
    }

    static const std::map<std::string, Operator, std::less<>>& operators();

    Shared& object(const Operation& operation) { return objects_.at(operation.name()); }

    std::string name_of_child() {
        const std::string parent = name_of(current_task());
        return parent + "." + std::to_string(children_[parent]++);
    }

    auto function(const Part& part, const Scope& scope) {
        return [this, &part, scope] { return run_body(part.body, scope); };
    }

    Task<std::int64_t> start(const Part& part, const Scope& scope) {
        return spawn(function(part, scope), name_of_child());
    }

    /// Returns the task of a part that is or has one; of a body none.
    Task<std::int64_t> task_of(const Part& part, const Scope& scope) {
        switch (part.kind) {
            case Part::Kind::task:
                return tasks_.at(part.task);
            case Part::Kind::new_task:
                return start(part, scope);
            case Part::Kind::body:
                break;
        }
        return {};
    }

    Task<std::int64_t> future(const Part& part, const Scope& scope) {
        return part.kind == Part::Kind::body ? ensure_future(function(part, scope)) : task_of(part, scope);
    }

    std::vector<Task<std::int64_t>> futures(const Operation& operation, const Scope& scope) {
        std::vector<Task<std::int64_t>> all;
        for (const Part& part : operation.parts) {
            all.push_back(future(part, scope));
        }
        return all;
    }

    /// As CPython evaluates the arguments of `gather`: tasks are made before it makes tasks of bodies.
    std::vector<Task<std::int64_t>> gathered(const Operation& operation, const Scope& scope) {
        std::vector<Task<std::int64_t>> all;
        for (const Part& part : operation.parts) {
            all.push_back(task_of(part, scope));
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (!all[i].is_valid()) {
                all[i] = ensure_future(function(operation.parts[i], scope));
            }
        }
        return all;
    }

    // What never waits.

    std::string release(const Operation& operation, const Scope&) {
        object(operation).release();
        return done;
    }
    std::string notify(const Operation& operation, const Scope&) {
        object(operation).condition->notify(static_cast<std::size_t>(operation.numbers.at(0).value()));
        return done;
    }
    std::string notify_all(const Operation& operation, const Scope&) {
        object(operation).condition->notify_all();
        return done;
    }
    std::string set(const Operation& operation, const Scope&) {
        object(operation).event->set();
        return done;
    }
    std::string clear(const Operation& operation, const Scope&) {
        object(operation).event->clear();
        return done;
    }
    std::string put_nowait(const Operation& operation, const Scope&) {
        object(operation).items->put_nowait(operation.numbers.at(0).value());
        return done;
    }
    std::string get_nowait(const Operation& operation, const Scope&) {
        return text(object(operation).items->get_nowait());
    }
    std::string task_done(const Operation& operation, const Scope&) {
        object(operation).items->base().task_done();
        return done;
    }
    std::string shutdown(const Operation& operation, const Scope&) {
        object(operation).items->shutdown(operation.numbers.at(0) == 1);
        return done;
    }
    std::string resolve(const Operation& operation, const Scope&) {
        object(operation).future.set_result(operation.numbers.at(0).value());
        return done;
    }
    std::string fail(const Operation& operation, const Scope&) {
        object(operation).future.set_exception(std::make_exception_ptr(Boom(operation.name())));
        return done;
    }
    std::string cancel(const Operation& operation, const Scope&) {
        const auto task = tasks_.find(operation.name());
        const std::string message = operation.names.size() > 1 ? "by " + operation.names[1] : std::string();
        return truth(task != tasks_.end() ? task->second.cancel(message)
                                          : object(operation).future.cancel(message));
    }
    std::string uncancel(const Operation&, const Scope&) { return text(current_task().uncancel()); }
    std::string look(const Operation& operation, const Scope&) { return look(operation.name()); }
    std::string log(const Operation& operation, const Scope&) { return operation.name(); }
    std::string raise(const Operation& operation, const Scope&) { throw Boom(operation.name()); }

    std::string soon(const Operation& operation, const Scope&) {
        loop_.call_soon([this, &operation] { run_body(operation.parts.at(0).body, {}); });
        return done;
    }
    std::string later(const Operation& operation, const Scope&) {
        loop_.call_later(delay_of(operation).value(),
                         [this, &operation] { run_body(operation.parts.at(0).body, {}); });
        return done;
    }
    std::string spawn_free(const Operation& operation, const Scope&) {
        start(operation.parts.at(0), {});
        return done;
    }
    std::string child(const Operation& operation, const Scope& scope) {
        if (scope.group == nullptr) {
            return "no group";
        }
        scope.group->create_task(function(operation.parts.at(0), scope), {.name = name_of_child()});
        return done;
    }
    std::string reschedule(const Operation& operation, const Scope& scope) {
        if (scope.timeout == nullptr) {
            return "no timeout";
        }
        const std::optional<Seconds> delay = delay_of(operation);
        scope.timeout->reschedule(delay.has_value() ? std::optional<VirtualTime>(loop_.time() + *delay)
                                                    : std::nullopt);
        return done;
    }

    // What may wait.

    std::string sleep(const Operation& operation, const Scope&) {
        mishap::sleep(delay_of(operation).value());
        return done;
    }
    std::string acquire(const Operation& operation, const Scope&) {
        object(operation).acquire();
        return done;
    }
    std::string wait(const Operation& operation, const Scope&) {
        Shared& it = object(operation);
        if (it.barrier != nullptr) {
            return std::to_string(it.barrier->wait());
        }
        if (it.event != nullptr) {
            it.event->wait();
        } else {
            it.condition->wait();
        }
        return done;
    }
    std::string wait_until(const Operation& operation, const Scope&) {
        Event& event = *objects_.at(operation.names.at(1)).event;
        object(operation).condition->wait_for([&] { return event.is_set(); });
        return done;
    }
    std::string reset(const Operation& operation, const Scope&) {
        object(operation).barrier->reset();
        return done;
    }
    std::string abort(const Operation& operation, const Scope&) {
        object(operation).barrier->abort();
        return done;
    }
    std::string put(const Operation& operation, const Scope&) {
        object(operation).items->put(operation.numbers.at(0).value());
        return done;
    }
    std::string get(const Operation& operation, const Scope&) { return text(object(operation).items->get()); }
    std::string join(const Operation& operation, const Scope&) {
        object(operation).items->base().join();
        return done;
    }
    std::string await_it(const Operation& operation, const Scope&) {
        const auto task = tasks_.find(operation.name());
        return text(task != tasks_.end() ? await(task->second) : await(object(operation).future));
    }

    std::string with(const Operation& operation, const Scope& scope) {
        Shared& it = object(operation);
        if (it.barrier != nullptr) {
            it.barrier->wait();
            run_body(operation.parts.at(0).body, scope);
            return done;
        }
        it.acquire();
        std::exception_ptr failure = run_and_keep_failure(operation.parts.at(0).body, scope);
        it.release();
        if (failure != nullptr) {
            std::rethrow_exception(failure);
        }
        return done;
    }
    std::string timeout(const Operation& operation, const Scope& scope) {
        const std::optional<Seconds> delay = delay_of(operation);
        const auto limit = std::make_shared<Timeout>(
            delay.has_value() ? std::optional<VirtualTime>(loop_.deadline_in(*delay)) : std::nullopt);
        limit->run([&] { run_body(operation.parts.at(0).body, {scope.group, limit}); });
        return done;
    }
    std::string wait_for(const Operation& operation, const Scope& scope) {
        const Part& part = operation.parts.at(0);
        const std::optional<Seconds> delay = delay_of(operation);
        return text(part.kind == Part::Kind::body ? mishap::wait_for(function(part, scope), delay)
                                                  : mishap::wait_for(task_of(part, scope), delay));
    }
    std::string shield(const Operation& operation, const Scope& scope) {
        const Part& part = operation.parts.at(0);
        return text(await(part.kind == Part::Kind::body ? mishap::shield(function(part, scope))
                                                        : mishap::shield(task_of(part, scope))));
    }
    std::string gather(const Operation& operation, const Scope& scope) {
        std::string all;
        for (const std::int64_t result : mishap::gather(gathered(operation, scope))) {
            all += (all.empty() ? "" : ", ") + text(result);
        }
        return "[" + all + "]";
    }
    std::string gather_exceptions(const Operation& operation, const Scope& scope) {
        std::string all;
        for (const Outcome<std::int64_t>& outcome :
             mishap::gather(return_exceptions, gathered(operation, scope))) {
            all += (all.empty() ? "" : ", ") +
                   (outcome.has_value() ? text(outcome.value()) : describe(outcome.exception()));
        }
        return "[" + all + "]";
    }
    std::string wait_tasks(const Operation& operation, const Scope& scope) {
        const std::vector<Task<std::int64_t>> all = futures(operation, scope);
        const std::string& when = operation.name();
        const auto result =
            mishap::wait(all, {.return_when = when == "first_completed"   ? ReturnWhen::first_completed
                                              : when == "first_exception" ? ReturnWhen::first_exception
                                                                          : ReturnWhen::all_completed,
                               .timeout = delay_of(operation)});
        return names_of(result.done) + ", pending " + names_of(result.pending);
    }
    std::string as_completed(const Operation& operation, const Scope& scope) {
        for (const Task<std::int64_t>& task :
             mishap::as_completed(futures(operation, scope), delay_of(operation))) {
            log_("completed " + name_of(task));
        }
        return done;
    }
    std::string group(const Operation& operation, const Scope& scope) {
        const auto group = std::make_shared<TaskGroup>();
        const Scope inner{group, scope.timeout};
        group->run([&] {
            for (std::size_t i = 1; i < operation.parts.size(); ++i) {
                group->create_task(function(operation.parts[i], inner), {.name = name_of_child()});
            }
            run_body(operation.parts.at(0).body, inner);
        });
        return done;
    }
    std::string catch_it(const Operation& operation, const Scope& scope) {
        const std::exception_ptr failure = run_and_keep_failure(operation.parts.at(0).body, scope);
        return failure == nullptr ? done : "caught " + describe(failure);
    }
    std::string finally(const Operation& operation, const Scope& scope) {
        const std::exception_ptr failure = run_and_keep_failure(operation.parts.at(0).body, scope);
        run_body(operation.parts.at(1).body, scope);
        if (failure != nullptr) {
            std::rethrow_exception(failure);
        }
        return done;
    }

    std::exception_ptr run_and_keep_failure(const Body& body, const Scope& scope) {
        try {
            run_body(body, scope);
        } catch (const CancelledError&) {
            return std::current_exception();
        } catch (const std::exception&) {
            return std::current_exception();
        }
        return nullptr;
    }

    Log& log_;
    EventLoop& loop_;
    const Program& program_;
    std::map<std::string, Shared> objects_;
    std::map<std::string, Task<std::int64_t>> tasks_;
    std::map<std::string, int> children_;
};

const std::map<std::string, Operator, std::less<>>& Interpreter::operators() {
    using I = Interpreter;
    static const std::map<std::string, Operator, std::less<>> all = {
        {"release", &I::release},
        {"notify", &I::notify},
        {"notify_all", &I::notify_all},
        {"set", &I::set},
        {"clear", &I::clear},
        {"put_nowait", &I::put_nowait},
        {"get_nowait", &I::get_nowait},
        {"task_done", &I::task_done},
        {"shutdown", &I::shutdown},
        {"resolve", &I::resolve},
        {"fail", &I::fail},
        {"cancel", &I::cancel},
        {"uncancel", &I::uncancel},
        {"look", &I::look},
        {"log", &I::log},
        {"raise", &I::raise},
        {"soon", &I::soon},
        {"later", &I::later},
        {"spawn", &I::spawn_free},
        {"child", &I::child},
        {"reschedule", &I::reschedule},
        {"sleep", &I::sleep},
        {"acquire", &I::acquire},
        {"wait", &I::wait},
        {"wait_until", &I::wait_until},
        {"reset", &I::reset},
        {"abort", &I::abort},
        {"put", &I::put},
        {"get", &I::get},
        {"join", &I::join},
        {"await", &I::await_it},
        {"with", &I::with},
        {"timeout", &I::timeout},
        {"wait_for", &I::wait_for},
        {"shield", &I::shield},
        {"gather", &I::gather},
        {"gather_exceptions", &I::gather_exceptions},
        {"wait_tasks", &I::wait_tasks},
        {"as_completed", &I::as_completed},
        {"group", &I::group},
        {"catch", &I::catch_it},
        {"finally", &I::finally},
    };
    return all;
}

}  // namespace

std::vector<std::string> run(const Program& program, const WorldOptions& options) {
    const auto with_loop = [&program](Log& log) {
        const auto interpreter = std::make_shared<Interpreter>(log, program);
        log.kept = interpreter;
        log.run(log.loop.create_task([&] { interpreter->main(); }, {.name = "main"}));
        interpreter->look_at_all();
    };
    return run_program({{}, {}, with_loop}, options);
}

std::string checksum(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + '\n';
    }
    return detail::checksum(text);
}

}  // namespace mishap::test::language
