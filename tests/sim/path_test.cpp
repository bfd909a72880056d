#include <mishap/sim/path.hpp>

#include "support/catch.hpp"

using namespace mishap;

namespace {
constexpr std::uint64_t task = hash_text("task");
}

TEST_CASE("the path of the first task has the main key") { CHECK(path_key("main") == detail::main_key); }

TEST_CASE("an empty path is what stands left of every path") { CHECK(path_key("") == detail::outside_key); }

TEST_CASE("a path with names and ordinals has the key that the creators compute") {
    const std::uint64_t second = detail::child_key(detail::main_key, task, 2);
    CHECK(path_key("main/task#2") == second);
    CHECK(path_key("main/task#2/worker") == detail::named_key(second, hash_text("worker")));
    CHECK(path_key("main/task#2/worker~3") == detail::named_key(second, hash_text("worker"), 3));
}

TEST_CASE("the first of a name may be written with its ordinal") {
    CHECK(path_key("main/worker~1") == path_key("main/worker"));
}

TEST_CASE("names, ordinals, copies and creators all make a difference") {
    const std::uint64_t keys[] = {path_key("main/task"),   path_key("main/task#1"), path_key("main/task#2"),
                                  path_key("main/task~2"), path_key("task"),        path_key("main/a/task"),
                                  path_key("main/Task"),   path_key("main/task#0"), path_key("main")};
    for (std::size_t i = 0; i < std::size(keys); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            CHECK(keys[i] != keys[j]);
        }
    }
}

TEST_CASE("a name with marks is one segment and keeps the key of the name as given") {
    for (const std::string name : {"a/b", "task#2", "a~2", "100%", "%41", "it's", "a,b<c=d@e[f]:g",
                                   "two words", "\n", "\xc3\xa4", "?0123456789abcdef"}) {
        const std::string segment = path_segment(name);
        CAPTURE(name, segment);
        CHECK(segment.find_first_of("/#~:,<=@[]'\" \n?") == std::string::npos);
        CHECK(path_key("main/" + segment) == detail::named_key(detail::main_key, hash_text(name)));
        CHECK(path_key("main/" + segment + "~2") == detail::named_key(detail::main_key, hash_text(name), 2));
    }
}

TEST_CASE("an ordinary name is written as it is") {
    CHECK(path_segment("Worker_1-a.b+(c)*") == "Worker_1-a.b+(c)*");
}

TEST_CASE("names tell the path of a key from those of its creators") {
    Names names;
    const std::uint64_t child = path_key("main/task#2");
    const std::uint64_t grandchild = path_key("main/task#2/worker");
    names.put(grandchild, child, "worker");
    names.put(child, detail::main_key, "task#2");
    names.put(detail::main_key, detail::outside_key, "main");
    CHECK(names.path(grandchild) == "main/task#2/worker");
    CHECK(names.knows(child));
    names.clear();
    CHECK_FALSE(names.knows(child));
}

TEST_CASE("what names do not know is written as a key, which reads back as itself") {
    Names names;
    const std::uint64_t child = path_key("main/task#2");
    const std::uint64_t grandchild = path_key("main/task#2/worker");
    names.put(grandchild, child, "worker");
    CHECK(names.path(0x12) == "?0000000000000012");
    CHECK(path_key("?0000000000000012") == 0x12);
    CHECK(path_key(names.path(grandchild)) == grandchild);
}

TEST_CASE("a very deep path is no burden for the stack") {
    Names names;
    std::uint64_t key = detail::outside_key;
    for (int i = 0; i < 200'000; ++i) {
        const std::uint64_t child = detail::named_key(key, hash_text("a"));
        names.put(child, key, "a");
        key = child;
    }
    CHECK(path_key(names.path(key)) == key);
}
