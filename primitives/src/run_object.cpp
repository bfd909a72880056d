#include <mishap/primitives/detail/run_object.hpp>

#include <fmt/format.h>

namespace mishap::detail {

RunObject::RunObject(const ObjectKind& kind, std::string_view name)
    : is_made_outside_(current_loop == nullptr), kind_(&kind), name_(name.empty() ? nullptr : intern(name)) {
    if (!is_made_outside_) {
        run_ = current_loop->run_serial();
        current_loop->identify(cell_, kind_->hash, kind_->word, name_);
    }
}

void RunObject::begin_run(EventLoop& loop) const {
    run_ = loop.run_serial();
    if (name_ == nullptr || !is_made_outside_) {
        loop.identify(cell_, kind_->hash, kind_->word, name_);
        return;
    }
    cell_ = {child_key(outside_key, kind_->hash, hash_text(*name_)), 0, 0};
    if (loop.world().is_observing()) {
        loop.world().names().put(cell_.key, outside_key, path_segment(*name_));
    }
}

std::string RunObject::describe() const {
    if (name_ != nullptr) {
        return fmt::format("{} '{}'", kind_->type, *name_);
    }
    if (const EventLoop* const loop = current_loop; loop != nullptr && is_known_to(*loop)) {
        if (const Names& names = current_loop->world().names(); names.knows(cell_.key)) {
            return fmt::format("{} {}", kind_->type, names.path(cell_.key));
        }
    }
    return fmt::format("a {}", kind_->type);
}

std::string RunObject::label() const { return name_ != nullptr ? *name_ : kind_->word; }

}  // namespace mishap::detail
