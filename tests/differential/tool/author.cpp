#include "differential/tool/author.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace mishap::test::language {

namespace {

constexpr int operations_min = 5;
constexpr int operations_max = 40;
constexpr int tasks_min = 2;
constexpr int tasks_max = 8;
constexpr int depth_max = 3;

/// Draws one program. Few objects and few seconds, so that tasks meet.
class Author {
public:
    Author(const Draw& next, int size) : next_(next) {
        const int most = operations_min + (operations_max - operations_min) * size / 99;
        const int least = std::max(operations_min, most / 2);
        left_ = least + draw(most - least + 1);
    }

    Program write() {
        make_objects();
        const int tasks = tasks_min + draw(std::min(left_, tasks_max) - tasks_min + 1);
        tasks_ = tasks;
        for (int task = 0; task < tasks; ++task) {
            task_ = task;
            held_.clear();
            // Each of those that are left gets at least one operation.
            const int after = tasks - task - 1;
            int share = after == 0 ? left_ : 1 + draw(std::max(1, 2 * (left_ - after) / (after + 1) + 1));
            share = std::min(share, left_ - after);
            Body& body = program_.tasks.emplace_back();
            const int others = left_ - share;
            left_ = share;
            while (left_ > 0) {
                body.push_back(operation(0));
            }
            left_ = others;
        }
        return std::move(program_);
    }

private:
    int draw(int limit) { return static_cast<int>(next_() % static_cast<std::uint64_t>(limit)); }
    bool one_in(int count) { return draw(count) == 0; }
    template <class T>
    const T& one_of(const std::vector<T>& all) {
        return all[static_cast<std::size_t>(draw(static_cast<int>(all.size())))];
    }

    void make_objects() {
        static const std::vector<std::string> kinds = {
            "Lock",  "Semaphore", "BoundedSemaphore", "Event",   "Condition",
            "Queue", "LifoQueue", "PriorityQueue",    "Barrier", "Future"};
        const int count = 1 + draw(4);
        for (int i = 0; i < count; ++i) {
            const std::string& kind = one_of(kinds);
            if (kind == "Condition") {
                const std::string lock = name("l");
                program_.objects.push_back({lock, "Lock", {}, 0});
                program_.objects.push_back({name("c"), "Condition", lock, 0});
                program_.objects.push_back({name("e"), "Event", {}, 0});
            } else if (kind == "Lock" || kind == "Event" || kind == "Future") {
                program_.objects.push_back({name(kind == "Lock"    ? "l"
                                                 : kind == "Event" ? "e"
                                                                   : "f"),
                                            kind,
                                            {},
                                            0});
            } else {
                const std::string letter = kind == "Barrier"                         ? "r"
                                           : kind.find("Queue") != std::string::npos ? "q"
                                                                                     : "s";
                program_.objects.push_back({name(letter), kind, {}, 1 + draw(kind == "Barrier" ? 3 : 2)});
            }
        }
    }
    /// Names are a letter and a number.
    std::string name(const std::string& letter) { return letter + std::to_string(names_++); }

    Operation operation(int depth) {
        --left_;
        if (has_timeout_ && one_in(10)) {
            return {"reschedule", {}, {one_in(4) ? std::nullopt : std::optional<int>(draw(3))}, {}};
        }
        // A body needs operations.
        if (has_group_ && left_ > 0 && depth < depth_max && one_in(8)) {
            return {"child", {}, {}, {body_part(depth, 2)}};
        }
        if (left_ > 0 && depth < depth_max && one_in(3)) {
            return compound(depth);
        }
        return one_in(3) ? on_a_task() : on_an_object(depth);
    }

    Operation on_a_task() {
        switch (draw(12)) {
            case 0:
            case 1:
            case 2:
                return {"sleep", {}, {draw(4)}, {}};
            case 3:
            case 4:
                return {"cancel", {any_task()}, {}, {}};
            case 5:
                return {"cancel", {any_task(), any_task()}, {}, {}};
            case 6:
                return {"uncancel", {}, {}, {}};
            case 7:
                return {"raise", {one_of(letters)}, {}, {}};
            case 8:
                return {"log", {one_of(letters)}, {}, {}};
            case 9:
                return {"look", {any_task()}, {}, {}};
            case 10:
                return {"sleep", {}, {0}, {}};
            default:
                // Only of those that come later: never in a circle.
                if (task_ + 1 < tasks_) {
                    return {"await", {later_task()}, {}, {}};
                }
                return {"sleep", {}, {draw(3)}, {}};
        }
    }

    std::string any_task() { return "t" + std::to_string(draw(tasks_)); }
    std::string later_task() { return "t" + std::to_string(task_ + 1 + draw(tasks_ - task_ - 1)); }

    /// Says whether something that mostly needs a lock, a permit or an item first may be done without:
    /// seldom.
    bool may_misuse(const std::string& name) {
        const auto held = std::find(held_.begin(), held_.end(), name);
        if (held != held_.end()) {
            held_.erase(held);
            return true;
        }
        return one_in(5);
    }
    bool is_held(const std::string& name) const {
        return std::find(held_.begin(), held_.end(), name) != held_.end();
    }

    Operation on_an_object(int depth, bool may_wait = true) {
        const Object& object = entered_ != nullptr && one_in(2) ? *entered_ : one_of(program_.objects);
        const std::string& kind = object.kind;
        const auto choose = [&](std::initializer_list<const char*> waiting,
                                std::initializer_list<const char*> others) {
            const int total = static_cast<int>((may_wait ? waiting.size() : 0) + others.size());
            const int drawn = draw(total);
            const int first = may_wait ? static_cast<int>(waiting.size()) : 0;
            return std::string(drawn < first ? waiting.begin()[drawn] : others.begin()[drawn - first]);
        };
        if (kind == "Lock" || kind == "Semaphore" || kind == "BoundedSemaphore") {
            Operation made{
                choose({"acquire", "acquire", "acquire"}, {"release", "release", "release", "look"}),
                {object.name},
                {},
                {}};
            if (made.kind == "acquire") {
                held_.push_back(object.name);
            } else if (made.kind == "release" && !may_misuse(object.name)) {
                if (may_wait && left_ > 0 && depth < depth_max) {
                    return with(object, depth);
                }
                made.kind = "look";
            }
            return made;
        }
        if (kind == "Event") {
            return {choose({"wait", "wait", "wait"}, {"set", "set", "set", "clear", "look"}),
                    {object.name},
                    {},
                    {}};
        }
        if (kind == "Condition") {
            const std::string& lock = object.argument;
            if (!is_held(lock) && !one_in(6)) {
                if (!may_wait || left_ == 0 || depth >= depth_max) {
                    return {"set", {event_of(object)}, {}, {}};
                }
                return with(object, depth);
            }
            Operation made{choose({"wait", "wait", "wait_until", "wait_until"},
                                  {"notify", "notify", "notify_all", "release", "look"}),
                           {object.name},
                           {},
                           {}};
            if (made.kind == "release") {
                may_misuse(lock);
            } else if (made.kind == "notify") {
                made.numbers.push_back(1 + draw(2));
            } else if (made.kind == "wait_until") {
                made.names.push_back(event_of(object));
            }
            return made;
        }
        if (kind == "Barrier") {
            if (!may_wait) {
                return {"look", {object.name}, {}, {}};
            }
            return {
                choose({"wait", "wait", "wait", "wait", "wait", "wait", "wait", "reset", "abort"}, {"look"}),
                {object.name},
                {},
                {}};
        }
        if (kind == "Future") {
            if (may_wait && one_in(2)) {
                return {"await", {object.name}, {}, {}};
            }
            switch (draw(4)) {
                case 0:
                    return {"fail", {object.name}, {}, {}};
                case 1:
                    return {"cancel", {object.name, any_task()}, {}, {}};
                case 2:
                    return {"look", {object.name}, {}, {}};
                default:
                    return {"resolve", {object.name}, {draw(9)}, {}};
            }
        }
        Operation made{choose({"put", "put", "put", "get", "get", "get", "join"},
                              {"put_nowait", "get_nowait", "task_done", "task_done", "shutdown", "look"}),
                       {object.name},
                       {},
                       {}};
        if (made.kind == "get" || made.kind == "get_nowait") {
            held_.push_back(object.name);
        } else if (made.kind == "task_done" && !may_misuse(object.name)) {
            made.kind = "look";
        } else if (made.kind == "shutdown" && !one_in(3)) {
            made.kind = "get_nowait";
        }
        if (made.kind == "put" || made.kind == "put_nowait") {
            made.numbers.push_back(draw(12));
        } else if (made.kind == "shutdown") {
            made.numbers.push_back(draw(2));
        }
        return made;
    }

    std::string event_of(const Object& condition) {
        const std::size_t number = std::stoul(condition.name.substr(1));
        return "e" + std::to_string(number + 1);  // see make_objects()
    }

    Body body(int depth, int count_max) {
        Body made;
        for (int count = 1 + draw(count_max); count > 0 && left_ > 0; --count) {
            made.push_back(operation(depth + 1));
        }
        return made;
    }
    Part body_part(int depth, int count_max = 3) { return {Part::Kind::body, body(depth, count_max), {}}; }

    /// What a combinator waits for.
    Part awaitable(int depth) {
        const int drawn = draw(6);
        if (drawn == 0 && task_ + 1 < tasks_) {
            return {Part::Kind::task, {}, later_task()};
        }
        return {drawn < 4 ? Part::Kind::body : Part::Kind::new_task, body(depth, 2), {}};
    }
    std::vector<Part> awaitables(int depth) {
        std::vector<Part> all;
        for (int count = 1 + draw(3); count > 0; --count) {
            all.push_back(awaitable(depth));
        }
        return all;
    }

    std::optional<int> delay(int limit) { return one_in(6) ? std::nullopt : std::optional<int>(draw(limit)); }

    Operation compound(int depth) {
        if (depth == 0 && one_in(4)) {
            return {"catch", {}, {}, {body_part(depth)}};
        }
        const int drawn = draw(30);
        if (drawn < 6) {
            if (const Object* const object = object_to_enter(); object != nullptr) {
                return with(*object, depth);
            }
        }
        if (drawn < 9) {
            const std::optional<int> limit = delay(4);
            const bool had_timeout = std::exchange(has_timeout_, true);
            Operation made{"timeout", {}, {limit}, {body_part(depth)}};
            has_timeout_ = had_timeout;
            return made;
        }
        if (drawn < 12) {
            const std::optional<int> limit = delay(4);
            return {"wait_for", {}, {limit}, {awaitable(depth)}};
        }
        if (drawn < 14) {
            return {"shield", {}, {}, {awaitable(depth)}};
        }
        if (drawn < 17) {
            return {one_in(2) ? "gather" : "gather_exceptions", {}, {}, awaitables(depth)};
        }
        if (drawn < 19) {
            static const std::vector<std::string> when = {"first_completed", "first_exception",
                                                          "all_completed"};
            const std::string& returns = one_of(when);
            const std::optional<int> limit = delay(4);
            return {"wait_tasks", {returns}, {limit}, awaitables(depth)};
        }
        if (drawn < 20) {
            const std::optional<int> limit = delay(4);
            return {"as_completed", {}, {limit}, awaitables(depth)};
        }
        if (drawn < 24) {
            const bool had_group = std::exchange(has_group_, true);
            Operation made{"group", {}, {}, {body_part(depth, 2)}};
            for (int count = 1 + draw(2); count > 0; --count) {
                made.parts.push_back(body_part(depth, 2));
            }
            has_group_ = had_group;
            return made;
        }
        if (drawn < 26) {
            return {"catch", {}, {}, {body_part(depth)}};
        }
        if (drawn < 27) {
            Operation made{"finally", {}, {}, {body_part(depth)}};
            made.parts.push_back(body_part(depth, 2));
            return made;
        }
        if (drawn < 28) {
            return {"spawn", {}, {}, {body_part(depth, 2)}};
        }
        Operation made{drawn == 28 ? "soon" : "later", {}, {}, {callback()}};
        if (made.kind == "later") {
            made.numbers.push_back(draw(4));
        }
        return made;
    }

    Operation with(const Object& object, int depth) {
        const std::string& held = object.kind == "Condition" ? object.argument : object.name;
        const std::size_t count = held_.size();
        held_.push_back(held);
        const Object* const entered = std::exchange(entered_, &object);
        Operation made{"with", {object.name}, {}, {body_part(depth)}};
        entered_ = entered;
        held_.resize(std::min(count, held_.size()));
        return made;
    }

    const Object* object_to_enter() {
        std::vector<const Object*> all;
        for (const Object& object : program_.objects) {
            if (object.kind == "Lock" || object.kind == "Condition" || object.kind == "Barrier" ||
                object.kind == "Semaphore" || object.kind == "BoundedSemaphore") {
                all.push_back(&object);
            }
        }
        return all.empty() ? nullptr : one_of(all);
    }

    Part callback() {
        Part made;
        --left_;
        made.body.push_back(one_in(2) ? Operation{"cancel", {any_task()}, {}, {}}
                                      : on_an_object(depth_max, false));
        return made;
    }

    inline static const std::vector<std::string> letters = {"a", "b", "c"};

    const Draw& next_;
    Program program_;
    int left_ = 0;  // operations that may still be written
    int tasks_ = 0;
    int task_ = 0;  // whose operations are being written
    int names_ = 0;
    std::vector<std::string>
        held_;  // what the task should have by now, once for each time: locks, permits, items
    const Object* entered_ = nullptr;  // by the innermost `with`
    bool has_timeout_ = false;
    bool has_group_ = false;
};

}  // namespace

Program write_program(const Draw& next, int size) { return Author(next, size).write(); }

}  // namespace mishap::test::language
