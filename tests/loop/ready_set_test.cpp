#include <mishap/loop/detail/ready_set.hpp>

#include <algorithm>
#include <deque>
#include <initializer_list>
#include <vector>

#include <mishap/loop/detail/select_bit.hpp>
#include <mishap/sim/prng.hpp>

#include "support/catch.hpp"

using mishap::Prng;
using mishap::detail::ReadyEntry;
using mishap::detail::ReadySet;
using mishap::detail::has_fast_deposit;
using mishap::detail::select_bit;
using mishap::detail::select_bit_by_deposit;

namespace {

struct Item : ReadyEntry {
    bool selectable = true;
    std::uint64_t pushed_at = 0;
};

/// Does to a plain vector what is done to the set, and compares.
class Model {
public:
    explicit Model(std::uint64_t seed) : prng_(seed) {}

    void push() {
        Item& item = fresh();
        item.selectable = items_.empty() || prng_.below(8) != 0;
        item.pushed_at = ++pushes_;
        set_.push(item, item.selectable);
        items_.push_back(&item);
    }

    void take() {
        if (items_.empty()) return;
        const std::uint32_t rank = prng_.below(2) == 0 ? 0 : prng_.below(set_.selectable());
        Item* expected = nth_selectable(rank);
        agrees_ = agrees_ && &set_.at(rank) == expected && &set_.take(rank) == expected;
        forget(expected);
    }

    void remove() {
        if (items_.empty()) return;
        Item* item = items_[prng_.below(static_cast<std::uint32_t>(items_.size()))];
        set_.remove(*item);
        forget(item);
    }

    void make_selectable() {
        if (items_.empty()) return;
        Item* item = items_[prng_.below(static_cast<std::uint32_t>(items_.size()))];
        set_.make_selectable(*item);
        item->selectable = true;
    }

    void begin_batch() {
        set_.begin_batch();
        pushed_in_batch_ = pushes_;
    }

    void begin_batch_if_over() {
        if (set_.batch_left() == 0) pushed_in_batch_ = pushes_;
        set_.begin_batch_if_over();
    }

    void clear() {
        set_.clear();
        pushed_in_batch_ = 0;
        for (Item* item : items_) agrees_ = agrees_ && !set_.contains(*item);
        for (Item* item : items_) free_.push_back(item);
        items_.clear();
    }

    void compare_all() {
        std::vector<const ReadyEntry*> expected;
        std::uint32_t batch_left = 0;
        for (const Item* item : items_) {
            if (item->selectable) expected.push_back(item);
            if (item->pushed_at <= pushed_in_batch_) ++batch_left;
            agrees_ = agrees_ && set_.contains(*item);
        }
        agrees_ = agrees_ && set_.batch_left() == batch_left;
        std::vector<const ReadyEntry*> actual;
        set_.for_each_selectable([&](const ReadyEntry& entry) { actual.push_back(&entry); });
        agrees_ = agrees_ && actual == expected && set_.selectable() == expected.size() &&
                  set_.size() == items_.size();
        for (std::uint32_t rank = 0; agrees_ && rank < expected.size(); ++rank)
            agrees_ = &set_.at(rank) == expected[rank];
    }

    std::uint32_t below(std::uint32_t bound) { return prng_.below(bound); }
    std::size_t size() const { return items_.size(); }
    bool agrees() const { return agrees_; }

private:
    Item& fresh() {
        if (free_.empty()) return storage_.emplace_back();
        Item* item = free_.back();
        free_.pop_back();
        return *item;
    }

    Item* nth_selectable(std::uint32_t rank) {
        for (Item* item : items_) {
            if (item->selectable && rank-- == 0) return item;
        }
        return nullptr;
    }

    void forget(Item* item) {
        agrees_ = agrees_ && !set_.contains(*item) && item->ready_slot == ReadySet::nowhere;
        items_.erase(std::find(items_.begin(), items_.end(), item));
        free_.push_back(item);
        // The owner's duty: the oldest can be picked.
        if (items_.empty() || items_.front()->selectable) return;
        items_.front()->selectable = true;
        set_.make_selectable(*items_.front());
    }

    Prng prng_;
    ReadySet set_;
    std::deque<Item> storage_;
    std::vector<Item*> free_;
    std::vector<Item*> items_;
    std::uint64_t pushes_ = 0;
    std::uint64_t pushed_in_batch_ = 0;
    bool agrees_ = true;
};

/// Works around a number of entries for a while: grows towards it, then keeps near it.
void run_model(Model& model, std::size_t size, int operations) {
    for (int i = 0; i < operations && model.agrees(); ++i) {
        const std::uint32_t dice = model.below(64);
        if (dice == 0)
            model.remove();
        else if (dice == 1)
            model.make_selectable();
        else if (dice == 2)
            model.begin_batch();
        else if (dice == 3)
            model.begin_batch_if_over();
        else if (model.size() < size ? dice < 44 : dice < 24)
            model.push();
        else
            model.take();
        if (model.below(1000) == 0) model.compare_all();
    }
    model.compare_all();
}

}  // namespace

TEST_CASE("the ready set does what a vector does, at every size") {
    const auto [size, operations] = GENERATE(table<std::size_t, int>({{2, 200'000},
                                                                      {5, 400'000},
                                                                      {8, 400'000},
                                                                      {16, 400'000},
                                                                      {20, 400'000},
                                                                      {33, 400'000},
                                                                      {70, 400'000},
                                                                      {300, 300'000},
                                                                      {1'500, 100'000}}));
    Model model(size);
    run_model(model, size, operations);
    REQUIRE(model.agrees());
}

TEST_CASE("the ready set follows a vector while the number of entries swings") {
    Model model(7);
    for (const std::size_t size : std::initializer_list<std::size_t>{3, 600, 2, 40, 1'200, 10, 1, 300})
        run_model(model, size, 40'000);
    REQUIRE(model.agrees());
}

TEST_CASE("a cleared ready set is like a new one") {
    Model model(11);
    for (const std::size_t size : std::initializer_list<std::size_t>{3, 700, 2, 40}) {
        run_model(model, size, 5'000);
        model.clear();
        model.compare_all();
    }
    REQUIRE(model.agrees());
}

TEST_CASE("the ready set gives back a hundred thousand entries in the order asked for") {
    std::vector<ReadyEntry> entries(100'000);
    ReadySet set;
    for (ReadyEntry& entry : entries) set.push(entry);
    bool right = true;
    // So many are counted in several blocks; one after another runs empty, from the second entry on.
    for (std::uint32_t i = 1; i < 60'000; ++i) right = right && &set.take(1) == &entries[i];
    for (std::uint32_t i = 99'999; i >= 60'000; i -= 3) right = right && &set.take(i - 59'999) == &entries[i];
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        if (!set.contains(entries[i])) continue;
        right = right && &set.take(0) == &entries[i];
    }
    REQUIRE(right);
    REQUIRE(set.empty());
}

TEST_CASE("an entry that cannot be picked yet keeps its place") {
    ReadyEntry first;
    ReadyEntry second;
    ReadyEntry third;
    ReadySet set;
    set.push(first);
    set.push(second, false);
    set.push(third);
    REQUIRE(set.size() == 3);
    REQUIRE(set.selectable() == 2);
    REQUIRE(&set.at(1) == &third);
    set.make_selectable(second);
    REQUIRE(&set.at(1) == &second);
    REQUIRE(&set.at(2) == &third);
}

TEST_CASE("a batch knows its entries although the slots were used up many times") {
    ReadyEntry old;
    ReadyEntry fresh;
    ReadyEntry churn;
    ReadySet set;
    set.push(old);
    set.begin_batch();
    set.push(fresh);
    for (int i = 0; i < 1'000; ++i) {
        set.push(churn);
        REQUIRE(&set.take(2) == &churn);
    }
    REQUIRE(set.batch_left() == 1);
    set.remove(fresh);
    REQUIRE(set.batch_left() == 1);
    set.remove(old);
    REQUIRE(set.batch_left() == 0);
}

TEST_CASE("the n-th set bit is found in every kind of word") {
    const bool deposits = has_fast_deposit();
    Prng prng(3);
    bool right = true;
    for (int i = 0; i < 20'000; ++i) {
        std::uint64_t word = prng.next();
        if (i % 3 == 1) word &= prng.next() & prng.next();
        if (i % 3 == 2) word |= prng.next() | prng.next();
        if (i == 0) word = ~std::uint64_t{0};
        std::uint32_t rank = 0;
        for (std::uint32_t bit = 0; bit < 64; ++bit) {
            if ((word >> bit & 1) == 0) continue;
            right = right && select_bit(word, rank) == bit && (!deposits || select_bit_by_deposit(word, rank) == bit);
            ++rank;
        }
    }
    REQUIRE(right);
}
