#pragma once

// Random small programs for the machine: what two searches make of them can be compared.

#include <cstdint>

#include "sim/machine.hpp"

namespace mishap::test {

/// What a random program may use beside reads and writes.
struct RandomShape {
    std::uint32_t threads = 3;         // at most
    std::uint32_t operations = 4;      // a thread, at most
    std::uint32_t variables = 2;
    std::uint32_t mutexes = 0;
    std::uint32_t cond_vars = 0;       // they need a mutex
    bool has_updates = false;          // fetch_add and cas
    std::uint32_t semaphores = 0;
    bool has_branches = false;         // values that were read decide what is done
    std::uint32_t data_classes = 0;    // data questions, with so many classes
    bool has_spawns = false;           // threads that other threads make
    bool has_joins = false;            // and wait for
};

/// Returns program number `seed`; equal numbers give equal programs.
MachineProgram random_program(std::uint64_t seed, const RandomShape& shape);

}  // namespace mishap::test
