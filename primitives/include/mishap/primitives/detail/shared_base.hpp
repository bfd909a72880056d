#pragma once

// When is an update lost?
//
// A task reads a variable, waits, and writes what it made of the value. If somebody else wrote the variable in between,
// that write is undone, and nobody will notice. So: a write is wrong when its task's last read is of an older version,
// lies in an earlier step of the task, and the task has not written since. A task that never read what it writes cannot
// lose anything, nor can `fetch_add`, `exchange` and `compare_exchange`, which read what they replace.

#include <cstdint>
#include <string_view>
#include <utility>

#include <mishap/primitives/detail/reader_table.hpp>
#include <mishap/primitives/detail/run_object.hpp>

namespace mishap::detail {

/// A shared variable without its value: who used it, and whether an update was lost.
class SharedBase : public RunObject {
protected:
    explicit SharedBase(std::string_view name);
    ~SharedBase() = default;

    /// What an access does, as the digest has it.
    enum class Use : std::uint8_t { load, store, update, failed_exchange };

    /// Returns whether nobody watches: outside of simulated worlds.
    static bool is_real() { return simulated_loop() == nullptr; }
    /// Lets threads go first, if there are any; every operation begins with it.
    void announce(Access access, const char* operation, Place place) const {
        if (EventLoop* const loop = current_loop; loop != nullptr && loop->has_threads()) [[unlikely]] {
            know(*loop);
            loop->announce(Announcement({.object = key(), .access = access}), true, nullptr, operation, place);
        }
    }
    /// Records a read; `value` is what there was to read, as far as it is a number.
    void on_read(Use use, std::uint64_t value, const char* operation, Place place) const {
        if (EventLoop* const loop = simulated_loop(); loop != nullptr) {
            record(*loop, use, value, Access::read, operation, place);
            watch_races(*loop, {.access = Access::read, .is_atomic = use == Use::failed_exchange, .place = place});
            readers_.put({loop->world().running(), version_, place});
        }
    }
    /// Tells that the value has changed, where that is no number that could be remembered.
    static void on_unseen_change() {
        if (current_loop != nullptr) {
            current_loop->world().tell_progress();
        }
    }
    /// Records a write that was made without looking. Does not return if it undoes somebody's write.
    void on_store(std::uint64_t value, const char* operation, Place place) {
        if (EventLoop* const loop = simulated_loop(); loop != nullptr) {
            record(*loop, Use::store, value, Access::write, operation, place);
            watch_races(*loop, {.access = Access::write, .place = place});
            Reader* const reader = readers_.find(loop->world().running().entity);
            if (reader != nullptr) {
                if (reader->version != version_ && reader->who.step != loop->world().running().step &&
                    loop->world().options().lost_updates != Detect::off) [[unlikely]] {
                    lose_update(*loop, *reader, place);
                }
                readers_.erase(*reader);
            }
            change(*loop, place);
        }
    }
    /// Records a write that was made of what there was.
    void on_update(std::uint64_t value, const char* operation, Place place) {
        if (EventLoop* const loop = simulated_loop(); loop != nullptr) {
            record(*loop, Use::update, value, Access::update, operation, place);
            watch_races(*loop, {.access = Access::update, .is_atomic = true, .place = place});
            if (Reader* const reader = readers_.find(loop->world().running().entity)) {
                readers_.erase(*reader);
            }
            change(*loop, place);
        }
    }

private:
    void know(EventLoop& loop) const {
        if (!is_known_to(loop)) [[unlikely]] {
            introduce(loop);
            forget();
        }
    }
    void record(EventLoop& loop, Use use, std::uint64_t value, Access access, const char* operation, Place place) const {
        know(loop);
        touch_value_in(loop, access, value, operation, place);
        loop.world().digest().fold(key() + static_cast<std::uint64_t>(use));
        loop.world().digest().fold(value);
        if (access != Access::read) {
            loop.world().tell_value(key(), value);
        }
    }
    void watch_races(EventLoop& loop, RacyAccess access) const {
        if (loop.world().races().is_active()) [[unlikely]] {
            look_for_race(loop, std::move(access));
        }
    }
    void look_for_race(EventLoop& loop, RacyAccess access) const;
    void change(EventLoop& loop, Place place) {
        ++version_;
        writer_ = loop.world().running();
        writer_place_ = place;
    }
    void forget() const;
    void lose_update(EventLoop& loop, const Reader& reader, Place place) const;

    // Of the run, as the key is.
    mutable ReaderTable readers_;
    mutable std::uint64_t version_ = 0;
    mutable EntityStep writer_;  // of the present version
    mutable Place writer_place_;
};

}  // namespace mishap::detail
