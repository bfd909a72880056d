// Makes and shrinks random programs of the language; the only translation unit of this tool that sees
// rapidcheck.

#include "differential/tool/generate.hpp"

#include <utility>
#include <vector>

#include <rapidcheck/Gen.h>
#include <rapidcheck/Random.h>
#include <rapidcheck/seq/Create.h>
#include <rapidcheck/seq/Transform.h>
#include <rapidcheck/shrinkable/Create.h>
#include <rapidcheck/shrinkable/Transform.h>

#include "differential/tool/author.hpp"

namespace mishap::test::language {

namespace {

/// Returns all bodies with one operation less, or with an operation replaced by the operations of its bodies.
std::vector<Body> simpler(const Body& body) {
    std::vector<Body> all;
    for (std::size_t i = 0; i < body.size(); ++i) {
        const auto at = static_cast<std::ptrdiff_t>(i);
        Body without = body;
        without.erase(without.begin() + at);
        all.push_back(without);
        for (const Part& part : body[i].parts) {
            if (!part.body.empty()) {
                Body inlined = without;
                inlined.insert(inlined.begin() + at, part.body.begin(), part.body.end());
                all.push_back(std::move(inlined));
            }
        }
        for (std::size_t p = 0; p < body[i].parts.size(); ++p) {
            for (Body& inner : simpler(body[i].parts[p].body)) {
                Body changed = body;
                changed[i].parts[p].body = std::move(inner);
                all.push_back(std::move(changed));
            }
            if (body[i].parts.size() > 1 && body[i].kind != "finally" && (p > 0 || body[i].kind != "group")) {
                Body changed = body;
                changed[i].parts.erase(changed[i].parts.begin() + static_cast<std::ptrdiff_t>(p));
                all.push_back(std::move(changed));
            }
        }
        for (std::size_t n = 0; n < body[i].numbers.size(); ++n) {
            if (body[i].numbers[n].value_or(0) > 0 && body[i].kind != "notify") {
                Body changed = body;
                --*changed[i].numbers[n];
                all.push_back(std::move(changed));
            }
        }
        if (body[i].kind == "cancel" && body[i].names.size() > 1) {
            Body changed = body;
            changed[i].names.pop_back();
            all.push_back(std::move(changed));
        }
    }
    return all;
}

rc::Seq<Program> simpler_programs(const Program& program) {
    std::vector<Program> all;
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        if (!program.tasks[i].empty()) {
            Program changed = program;
            changed.tasks[i].clear();  // tasks keep their numbers
            all.push_back(std::move(changed));
        }
    }
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        for (Body& body : simpler(program.tasks[i])) {
            Program changed = program;
            changed.tasks[i] = std::move(body);
            all.push_back(std::move(changed));
        }
    }
    // What nobody names can go.
    const std::string json = to_json(program);
    const auto is_named = [&](const std::string& name) {
        const std::string quoted = '"' + name + '"';
        return json.find(quoted) != json.rfind(quoted);
    };
    for (std::size_t i = 0; i < program.objects.size(); ++i) {
        if (!is_named(program.objects[i].name)) {
            Program changed = program;
            changed.objects.erase(changed.objects.begin() + static_cast<std::ptrdiff_t>(i));
            all.push_back(std::move(changed));
        }
    }
    if (!program.tasks.empty() && program.tasks.back().empty() &&
        json.find("\"t" + std::to_string(program.tasks.size() - 1) + '"') == std::string::npos) {
        Program changed = program;
        changed.tasks.pop_back();
        all.push_back(std::move(changed));
    }
    return rc::seq::fromContainer(std::move(all));
}

/// The generator, in rapidcheck's form.
rc::Shrinkable<Program> shrinkable(Program program) {
    return rc::shrinkable::shrinkRecur(std::move(program),
                                       [](const Program& it) { return simpler_programs(it); });
}
rc::Gen<Program> programs() {
    return [](rc::Random random, int size) {
        return shrinkable(write_program([&random] { return random.next(); }, size));
    };
}

}  // namespace

Program generate(std::uint64_t seed, std::uint64_t number) {
    static const rc::Gen<Program> generator = programs();
    rc::Random::Key key{seed, number, 0, 0};
    return generator(rc::Random(key), static_cast<int>(number % 100)).value();
}

Program shrink(const Program& program, const std::function<bool(const Program&)>& fails) {
    rc::Shrinkable<Program> smallest = shrinkable(program);
    for (bool is_smaller = true; is_smaller;) {
        is_smaller = false;
        rc::Seq<rc::Shrinkable<Program>> candidates = smallest.shrinks();
        while (auto candidate = candidates.next()) {
            if (fails(candidate->value())) {
                smallest = *candidate;
                is_smaller = true;
                break;
            }
        }
    }
    return smallest.value();
}

}  // namespace mishap::test::language
