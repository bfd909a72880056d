// The shrink passes that take mishaps away.

#include <mishap/sim/detail/shrink_passes.hpp>

#include <algorithm>

namespace mishap::detail {

namespace {

/// Tries `edit(begin, end)` for stretches of the best run's mishaps, halves first, single ones last.
template <class Edit>
bool thin_out(ShrinkSession& session, Edit edit) {
    bool improved = false;
    for (std::size_t size = std::max<std::size_t>(session.best().mishaps.size() / 2, 1); size > 0; size /= 2) {
        std::size_t begin = 0;
        while (begin < session.best().mishaps.size() && session.has_budget()) {
            const std::size_t end = std::min(begin + size, session.best().mishaps.size());
            if (session.try_edit(edit(begin, end))) {
                improved = true;  // what followed has moved to `begin`
            } else {
                begin += size;
            }
        }
    }
    return improved;
}

}  // namespace

bool drop_stretches(ShrinkSession& session) {
    return thin_out(session, [&](std::size_t begin, std::size_t end) {
        MishapList fewer = session.best().mishaps;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(begin), fewer.begin() + static_cast<std::ptrdiff_t>(end));
        return TapeEdit{{}, std::move(fewer)};
    });
}

bool calm_stretches(ShrinkSession& session) {
    return thin_out(session, [&](std::size_t begin, std::size_t end) {
        const std::vector<std::size_t> at = session.positions();
        TapeEdit edit{session.best().tape, {}};
        for (std::size_t m = begin; m < end; ++m) {
            edit.prefix[at[m]].taken = 0;
        }
        return edit;
    });
}

bool drop_entities(ShrinkSession& session) {
    bool improved = false;
    std::vector<std::uint64_t> entities;  // in the order of their first mishap
    for (const Mishap& mishap : session.best().mishaps) {
        if (std::find(entities.begin(), entities.end(), mishap.who.entity) == entities.end()) {
            entities.push_back(mishap.who.entity);
        }
    }
    for (const std::uint64_t entity : entities) {
        MishapList fewer = session.best().mishaps;
        std::erase_if(fewer, [&](const Mishap& mishap) { return mishap.who.entity == entity; });
        if (fewer.size() != session.best().mishaps.size()) {
            improved = session.try_edit({{}, std::move(fewer)}) || improved;
        }
    }
    return improved;
}

}  // namespace mishap::detail
