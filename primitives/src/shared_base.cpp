#include <mishap/primitives/detail/shared_base.hpp>

#include <fmt/format.h>

namespace mishap::detail {

namespace {

constexpr ObjectKind kind{"Shared", "shared"};

std::string name_of(EventLoop& loop, std::uint64_t entity) {
    const Names& names = loop.world().names();
    if (names.knows(entity)) {
        return names.path(entity);
    }
    std::string name = "another entity";  // it has ended, and names are kept on replay only
    loop.for_each_task([&](const TaskBase& task) {
        if (task.entity.key == entity) {
            name = task.path();
        }
    });
    return name;
}

std::string describe_access(EventLoop& loop, EntityStep who, const char* verb, Place place) {
    std::string text = fmt::format("{} {} it in its step {}", name_of(loop, who.entity), verb, who.step);
    if (place.line != 0) {
        text += fmt::format(", at {}:{}", place.file, place.line);
    }
    return text;
}

}  // namespace

SharedBase::SharedBase(std::string_view name) : RunObject(kind, name) {}

void SharedBase::forget() const {
    readers_.clear();
    version_ = 0;
    writer_ = {};
}

void SharedBase::lose_update(EventLoop& loop, const Reader& reader, Place place) const {
    World& world = loop.world();
    const EntityStep who = world.running();
    const std::string name = name_of(loop, who.entity);
    world.fail({.kind = FindingKind::lost_update,
                .what = fmt::format("{} writes {} although it was changed since {} read it: that change is lost", name,
                                    describe(), name),
                .label = label(),
                .place = place,
                .tasks = {name},
                .details = {describe_access(loop, reader.who, "read", reader.place),
                            describe_access(loop, writer_, "wrote", writer_place_),
                            describe_access(loop, who, "writes", place)}});
    if (world.has_failed() && !world.is_tearing_down()) {
        loop.park_failed();
    }
}

}  // namespace mishap::detail
