#include <mishap/sim/detail/work_tree.hpp>

#include <algorithm>

namespace mishap::detail {

std::uint32_t WorkTree::find_or_add(std::uint64_t key, std::uint64_t creator) {
    std::uint32_t& place = indices_[key];
    if (place == 0) {
        entities_.emplace_back();
        place = static_cast<std::uint32_t>(entities_.size());
    }
    const std::uint32_t index = place - 1;
    if (creator != 0 && creator != key && entities_[index].creator == none) {
        adopt(find_or_add(creator, 0), index);
    }
    return index;
}

/// Makes `creator` the creator of an entity whose creator was not known.
void WorkTree::adopt(std::uint32_t creator, std::uint32_t entity) {
    for (std::uint32_t above = creator; above != none; above = entities_[above].creator) {
        if (above == entity) {
            return;  // keys that contradict each other: better no creator than a circle
        }
    }
    const bool is_met = entities_[entity].run == run_;
    if (is_met) {
        meet(creator);  // before the link: what is already met is no work of the creator
    }
    entities_[entity].creator = creator;
    add_total(creator, entities_[entity].total);
    if (!is_met && entities_[creator].run == run_) {
        entities_[creator].to_create += entities_[entity].total;
    }
}

/// Adds to the total of an entity and of all above it. Where that entity has not been met, whoever creates it
/// has more to create.
void WorkTree::add_total(std::uint32_t entity, std::uint64_t more) {
    for (std::uint32_t at = entity; at != none; at = entities_[at].creator) {
        entities_[at].total += more;
        const std::uint32_t creator = entities_[at].creator;
        if (creator != none && entities_[at].run != run_ && entities_[creator].run == run_) {
            entities_[creator].to_create += more;
        }
    }
}

void WorkTree::clear_estimates() {
    for (Entity& entity : entities_) {
        entity.own = entity.total = entity.to_create = 0;
    }
}

void WorkTree::raise(std::uint32_t entity, std::uint64_t work) {
    const std::uint64_t own = entities_[entity].own;
    if (work > own) {
        entities_[entity].own = work;
        add_total(entity, work - own);
    }
}

void WorkTree::meet(std::uint32_t entity) {
    Entity& met = entities_[entity];
    if (met.run == run_) {
        return;
    }
    met.run = run_;
    met.done = 0;
    met.to_create = met.total - met.own;
    if (met.creator != none) {
        // If the creator is met only now, its children count as work to create, this one too.
        meet(met.creator);
        entities_[met.creator].to_create -= met.total;
    }
}

void WorkTree::set_done(std::uint32_t entity, std::uint64_t done) {
    meet(entity);
    entities_[entity].done = done;
}

std::uint64_t WorkTree::done(std::uint32_t entity) const {
    return entities_[entity].run == run_ ? entities_[entity].done : 0;
}

std::uint64_t WorkTree::remaining(std::uint32_t entity) const {
    const Entity& it = entities_[entity];
    return it.own - std::min(it.own, it.done) + it.to_create;
}

}  // namespace mishap::detail
