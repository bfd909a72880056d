#include <mishap/primitives/detail/shared_base.hpp>

#include <fmt/format.h>
#include <mishap/sim/stack_text.hpp>

namespace mishap::detail {

namespace {

constexpr ObjectKind kind{"Shared", "shared"};

std::string name_of(EventLoop& loop, std::uint64_t entity) {
    const Names& names = loop.world().names();
    if (names.knows(entity)) {
        return names.path(entity);
    }
    std::string name = "another entity";  // it has ended, and names are kept on replay only
    loop.for_each_task_and_thread([&](const TaskBase& task) {
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

void SharedBase::look_for_race(EventLoop& loop, RacyAccess access) const {
    World& world = loop.world();
    if (world.is_tearing_down()) {
        return;
    }
    access.who = world.running();
    if (world.is_tracing()) {
        access.stack = capture_stack();
    }
    const std::optional<RacyAccess> other = world.races().access(key(), access);
    if (!other.has_value()) {
        return;
    }
    const std::string name = name_of(loop, access.who.entity);
    const std::string other_name = name_of(loop, other->who.entity);
    if (world.options().races == Detect::note) {
        world.note({FindingKind::race, fmt::format("{} and {} race for {}", other_name, name, describe())});
        return;
    }
    Finding finding{.kind = FindingKind::race,
                    .what = fmt::format("{} and {} access {}, one of them writes, and nothing orders them", other_name, name,
                                        describe()),
                    .label = label(),
                    .place = access.place,
                    .tasks = {other_name, name}};
    for (const RacyAccess* one : {&*other, static_cast<const RacyAccess*>(&access)}) {
        finding.details.push_back(describe_access(loop, one->who, one->access == Access::read ? "reads" : "writes", one->place));
        for (const std::string& frame : describe_stack(one->stack)) {
            finding.details.push_back("    in " + frame);
        }
    }
    world.fail(std::move(finding));
    loop.park_failed();
}

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
    if (world.options().lost_updates == Detect::note) {
        world.note({FindingKind::lost_update, fmt::format("{} undoes a write to {} that it has not seen", name, describe())});
        return;
    }
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
