#pragma once

// Programs whose numbers of Mazurkiewicz traces are known, for the machine.
//
// Most are the litmus programs on which stateless model checkers are compared: C. Flanagan and P. Godefroid, "Dynamic
// partial-order reduction for model checking software" (POPL 2005: indexer, filesystem), and the test suites of Nidhugg
// and GenMC. Threads are numbered in the order of the description; where a program has a main thread of its own, that
// comes last.

#include <cstdint>

#include "sim/machine.hpp"

namespace mishap::test {

/// One thread writes x, `readers` threads read it.
MachineProgram readers(int readers);
/// Thread i writes i; main joins all and reads.
MachineProgram lastwrite(int writers);
/// Thread i writes i; main reads at any time.
MachineProgram floating_read(int writers);
/// `threads` atomic increments of x.
MachineProgram ainc(int threads);
/// The same of x and then y.
MachineProgram binc(int threads);
/// Thread i replaces i - 1 by i, if it is there.
MachineProgram casrot(int threads);
/// A reader looks for the last zero of an array that others fill from below.
MachineProgram lastzero(int n);
/// Two threads add two shared numbers up, `rounds` times each.
MachineProgram fib_join(int rounds);
/// Deposits and one withdrawal, without a lock.
MachineProgram account(int depositors);
/// Setters write x and then y, checkers read x and then y.
MachineProgram reorder(int setters, int checkers);
/// Each thread writes x and reads it back.
MachineProgram write_read_pair(int threads);
/// Two threads work long on cells of their own, then race `tail` times.
MachineProgram race_tail(int tail);
/// Thread i sets its cell to one more than its left neighbour's.
MachineProgram ring_nolock(int threads);
/// Peterson's mutual exclusion, `rounds` times, with at most `tries` looks each.
MachineProgram peterson(int rounds, int tries);
/// Each thread increments a counter under a mutex, `rounds` times.
MachineProgram mutex_counter(int threads, int rounds);
/// `ring_nolock` under one mutex.
MachineProgram token_ring(int threads);
/// A producer and a consumer look `rounds` times each at two flags, under a mutex.
MachineProgram circular_buffer(int rounds);
/// Threads insert into a hash table with a mutex for each of its 128 cells.
MachineProgram indexer(int threads);
/// Threads create files: 32 inodes and 26 blocks with a mutex each.
MachineProgram filesystem(int threads);
/// Philosophers who take the lower-numbered fork first.
MachineProgram phil_ordered(int philosophers);
/// Philosophers who all take the left fork first; one trace deadlocks.
MachineProgram phil_deadlock(int philosophers);
/// Two threads take two mutexes in opposite orders; one trace of three deadlocks.
MachineProgram deadlock_ab();
/// A one-slot buffer with a mutex and two condition variables.
MachineProgram condvar_pc(int rounds);
/// Threads with a cell each.
MachineProgram disjoint(int threads, int rounds);

/// A program and how many traces it has.
struct CountedProgram {
    MachineProgram program;
    std::uint64_t traces = 0;
    std::uint64_t deadlocked = 0;  // of these
};

/// Returns every program, each in several sizes, that has at most `traces_max` traces.
///
/// The numbers are those on which Nidhugg (`--optimal`, `--source`), GenMC (`--sc`) and an independent count agree.
std::vector<CountedProgram> counted_programs(std::uint64_t traces_max);

}  // namespace mishap::test
