#pragma once

// What the runs of the examples hash to, with every compiler and every preset. A change of these numbers breaks the tapes
// of everybody who keeps some: it needs a reason, and a line in the changelog.

#include <cstdint>
#include <string_view>

struct KnownDigest {
    std::string_view scenario;
    std::uint64_t calm;    // of the calm run
    std::uint64_t seeded;  // of runs 0 to 99 of a random walk with seed 1, together
};

inline constexpr KnownDigest known_digests[] = {
    {"coroutine_chain/checked_again", 0xa1122823bdd78f5f, 0x4c57da5a08af191e},
    {"coroutine_chain/overdrawn", 0x584072eb63f82207, 0xc3f142382538edd4},
    {"counter/locked", 0x4625e68af6af49ef, 0x240f9af465df49c5},
    {"counter/unsafe", 0x4625e68af6af49ef, 0xc28baa0e740aac17},
    {"lock_baton/doubled", 0x6ccda16178bf38c3, 0xbcd4811d7ca95269},
    {"lock_baton/dropped", 0x39ce4b1e0f5bd62a, 0x273354c4cbf1b527},
    {"lock_baton/passed_on", 0x39ce4b1e0f5bd62a, 0x668afcf8df867bc1},
    {"lock_baton/single", 0x6ccda16178bf38c3, 0x636e28396506050d},
    {"philosophers/greedy", 0x9edf6fe9e6e50d10, 0x0009ff64e4a19069},
    {"philosophers/hasty", 0x6ae29ed282c477c3, 0xee94ff47ed9b44b0},
    {"philosophers/hasty_ordered", 0x6ae29ed282c477c3, 0x2dd0b5b4fc9c4705},
    {"philosophers/ordered", 0x9edf6fe9e6e50d10, 0x330dfc059ea7d0ae},
    {"producer_consumer/flag", 0x88ff85d24d0f58eb, 0x72a5ba6b3771e918},
    {"producer_consumer/shutdown", 0x88ff85d24d0f58eb, 0x052ac171b648a7e4},
    {"queue_handoff/through_the_future", 0x491acb816b8e2cfc, 0xc31a68a0b2b9680d},
    {"queue_handoff/through_the_queue", 0x491acb816b8e2cfc, 0x9ef14c5765f08006},
    {"timeout_hour/late_answer", 0xdd379594a37ba1d5, 0xea3f75f266c062f8},
    {"timeout_hour/no_answer", 0x64c5a67011058903, 0x7d572b2ed2eee1da},
    {"wait_for_cancel/cancel_wins", 0x3da7200f7072b55c, 0x288b31954e512845},
    {"wait_for_cancel/result_wins", 0x3da7200f7072b55c, 0x6914b4b7257848ab},
    {"wait_for_cancel/work_inline", 0xfafeb02ec3ffc888, 0x561bf9bd58da9438},
    {"wait_for_result/cancel_wins", 0x3da7200f7072b55c, 0x6914b4b7257848ab},
    {"wait_for_result/result_wins", 0x3da7200f7072b55c, 0x288b31954e512845},
    {"wait_for_result/work_inline", 0xfafeb02ec3ffc888, 0x561bf9bd58da9438},
    {"worker_counter/locked", 0x21e854fb3c136747, 0x4095f943ece593cf},
    {"worker_counter/unlocked", 0x5b1c8ae112ffaaf6, 0x4081a3163367a4b0},
};
