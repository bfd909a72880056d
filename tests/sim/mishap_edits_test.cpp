// What edits may have made of recorded mishaps.

#include <mishap/sim/detail/mishap_edits.hpp>

#include <algorithm>

#include <mishap/sim/detail/tape_words.hpp>

#include "support/catch.hpp"

namespace mishap::detail {
namespace {

MishapTexts read(const std::vector<std::string>& texts) {
    MishapTexts mishaps;
    for (const std::string& text : texts) {
        mishaps.push_back(read_mishap(text));
    }
    return mishaps;
}

/// Returns whether one of `lists` reads `texts`, keys and texts alike.
bool has(const std::vector<MishapTexts>& lists, const std::vector<std::string>& texts) {
    return std::find(lists.begin(), lists.end(), read(texts)) != lists.end();
}

}  // namespace

TEST_CASE("the steps of one entity are counted on from every step that mishaps mention") {
    const auto lists = with_moved_steps(read({"main/a#2<main/b#3", "main/a#5<main/c#1"}));
    CHECK(has(lists, {"main/a#3<main/b#3", "main/a#6<main/c#1"}));
    CHECK(has(lists, {"main/a#2<main/b#3", "main/a#6<main/c#1"}));
    CHECK(has(lists, {"main/a#1<main/b#3", "main/a#4<main/c#1"}));
    CHECK(has(lists, {"main/a#2<main/b#4", "main/a#5<main/c#1"}));
    CHECK_FALSE(has(lists, {"main/a#3<main/b#3", "main/a#5<main/c#1"}));  // later steps move along
}

TEST_CASE("steps of all that share a name, and of everybody, move together") {
    const auto lists = with_moved_steps(read({"main/a#2<main/a~2#3", "cancel@main/b#4"}));
    CHECK(has(lists, {"main/a#3<main/a~2#4", "cancel@main/b#4"}));
    CHECK(has(lists, {"main/a#3<main/a~2#4", "cancel@main/b#5"}));
}

TEST_CASE("nothing is moved to a step before the first, and the nearest comes first") {
    const auto lists = with_moved_steps(read({"cancel@main/a#1"}));
    REQUIRE_FALSE(lists.empty());
    CHECK(lists.front() == read({"cancel@main/a#2"}));
    for (const MishapTexts& list : lists) {
        CHECK(list.front().mishap.who.step >= 1);
    }
}

TEST_CASE("siblings of one name change places, with all that they made") {
    const auto lists = with_other_names(read({"main/a#2<main/a~2/work#1"}), {"main", "main/a", "main/a~2", "main/b"});
    CHECK(has(lists, {"main/a~2#2<main/a/work#1"}));
    CHECK_FALSE(has(lists, {"main/b#2<main/a~2/work#1"}));  // main/a is still there
}

TEST_CASE("nameless tasks are counted on behind one that was put in between") {
    const auto lists = with_other_names(read({"main/task#2#4<main/task#3/task#1#1", "cancel@main/task#1#2"}), {});
    CHECK(has(lists, {"main/task#3#4<main/task#4/task#1#1", "cancel@main/task#1#2"}));
    CHECK(has(lists, {"main/task#3#4<main/task#4/task#1#1", "cancel@main/task#2#2"}));
}

TEST_CASE("for a task that is gone stands every one that the mishaps do not mention") {
    const auto lists = with_other_names(read({"main/old#2<main/b#1"}), {"main", "main/new", "main/b"});
    CHECK(has(lists, {"main/new#2<main/b#1"}));
    CHECK(has(lists, {"main#2<main/b#1"}));
    CHECK_FALSE(has(lists, {"main/b#2<main/b#1"}));
}

TEST_CASE("as a script, mishaps say who comes before whom, and what is answered") {
    const Script script = as_script(read({"main/a#2<main/b#3", "value@main/a#2.1=2/5[size]", "cancel@main/c#4"}));
    REQUIRE(script.size() == 3);
    CHECK(script[0] == at("main/a", 2).before("main/b", 3));
    CHECK(script[1] == at("main/a", 2).gets("size", 2));
    CHECK(script[2] == at("main/c", 4).cancelled());
}

}  // namespace mishap::detail
