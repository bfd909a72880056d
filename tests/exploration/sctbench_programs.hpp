#pragma once

// The programs of sctbench.hpp: what each set-up makes is one of them.

#include "sim/machine.hpp"

namespace mishap::test {

void account_bad(Machine& m);
void arithmetic_prog_bad(Machine& m);
void sync01_bad(Machine& m);
void sync02_bad(Machine& m);
void bluetooth_driver_bad(Machine& m);
void carter01_bad(Machine& m);
void circular_buffer_bad(Machine& m);
void deadlock01_bad(Machine& m);
void lazy01_bad(Machine& m);
void phase01_bad(Machine& m);
void queue_bad(Machine& m);
void stack_bad(Machine& m);
void cve_2009_3547(Machine& m);
void cve_2015_7550(Machine& m);
void cve_2017_6346(Machine& m);
void lost_wakeup(Machine& m);

/// Adds to a variable by a read and a write.
ThreadBody add(Machine& m, Machine::Variable x, std::int64_t value);

}  // namespace mishap::test
