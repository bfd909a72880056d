#include <mishap/sim/detail/work_tree.hpp>

#include "support/catch.hpp"

namespace mishap::detail {

TEST_CASE("what an entity has yet to create is its own work, until it is there") {
    WorkTree tree;
    const std::uint32_t main = tree.find_or_add(1, 0);
    const std::uint32_t child = tree.find_or_add(2, 1);
    const std::uint32_t grandchild = tree.find_or_add(3, 2);
    tree.raise(main, 4);
    tree.raise(child, 10);
    tree.raise(grandchild, 100);

    tree.begin_run();
    tree.meet(main);
    CHECK(tree.remaining(main) == 114);
    tree.set_done(main, 1);
    CHECK(tree.remaining(main) == 113);
    tree.meet(child);
    CHECK(tree.remaining(main) == 3);
    CHECK(tree.remaining(child) == 110);
    tree.meet(grandchild);
    CHECK(tree.remaining(child) == 10);
    CHECK(tree.remaining(grandchild) == 100);

    tree.begin_run();
    tree.meet(main);
    CHECK(tree.remaining(main) == 114);
}

TEST_CASE("to meet an entity is to meet whoever made it") {
    WorkTree tree;
    const std::uint32_t main = tree.find_or_add(1, 0);
    const std::uint32_t child = tree.find_or_add(2, 1);
    const std::uint32_t grandchild = tree.find_or_add(3, 2);
    tree.raise(main, 1);
    tree.raise(child, 10);
    tree.raise(grandchild, 100);
    tree.begin_run();
    tree.meet(grandchild);
    CHECK(tree.remaining(main) == 1);
    CHECK(tree.remaining(child) == 10);
}

TEST_CASE("work learnt while a run goes on counts for whoever creates it") {
    WorkTree tree;
    const std::uint32_t main = tree.find_or_add(1, 0);
    const std::uint32_t child = tree.find_or_add(2, 1);
    tree.begin_run();
    tree.meet(main);
    tree.raise(child, 5);
    CHECK(tree.remaining(main) == 5);
    const std::uint32_t late = tree.find_or_add(3, 2);  // two levels down, and its creator is not there yet
    tree.raise(late, 7);
    CHECK(tree.remaining(main) == 12);
    tree.meet(child);
    CHECK(tree.remaining(main) == 0);
    CHECK(tree.remaining(child) == 12);
    tree.meet(late);
    tree.raise(late, 9);
    CHECK(tree.remaining(child) == 5);
    CHECK(tree.remaining(late) == 9);
}

TEST_CASE("a creator may become known after its work and that of its child") {
    WorkTree tree;
    const std::uint32_t child = tree.find_or_add(2, 0);
    const std::uint32_t other = tree.find_or_add(3, 0);
    tree.raise(child, 5);
    tree.raise(other, 6);
    tree.begin_run();
    tree.meet(child);
    tree.find_or_add(2, 1);
    const std::uint32_t main = tree.find_or_add(1, 0);
    CHECK(tree.remaining(main) == 0);  // the child is there
    tree.find_or_add(3, 1);
    CHECK(tree.remaining(main) == 6);
    tree.begin_run();
    tree.meet(main);
    CHECK(tree.remaining(main) == 11);
}

TEST_CASE("estimates are the most that was learnt, and more work than estimated leaves none") {
    WorkTree tree;
    const std::uint32_t one = tree.find_or_add(1, 0);
    tree.raise(one, 5);
    tree.raise(one, 3);
    tree.begin_run();
    tree.set_done(one, 2);
    CHECK(tree.remaining(one) == 3);
    tree.set_done(one, 9);
    CHECK(tree.remaining(one) == 0);
    tree.clear_estimates();
    tree.raise(one, 1);
    tree.begin_run();
    tree.meet(one);
    CHECK(tree.remaining(one) == 1);
}

TEST_CASE("keys that make each other do not loop") {
    WorkTree tree;
    const std::uint32_t one = tree.find_or_add(1, 2);
    const std::uint32_t two = tree.find_or_add(2, 1);
    CHECK(tree.find_or_add(1, 1) == one);
    tree.raise(one, 3);
    tree.begin_run();
    tree.meet(two);
    CHECK(tree.remaining(two) == 3);
}

}  // namespace mishap::detail
