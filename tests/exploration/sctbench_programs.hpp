#pragma once

// The programs of sctbench.hpp: what each set-up makes is one of them.

#include "exploration/actors.hpp"

namespace mishap::test {

void account_bad(Actors& m);
void arithmetic_prog_bad(Actors& m);
void sync01_bad(Actors& m);
void sync02_bad(Actors& m);
void bluetooth_driver_bad(Actors& m);
void carter01_bad(Actors& m);
void circular_buffer_bad(Actors& m);
void deadlock01_bad(Actors& m);
void lazy01_bad(Actors& m);
void phase01_bad(Actors& m);
void queue_bad(Actors& m);
void stack_bad(Actors& m);
void cve_2009_3547(Actors& m);
void cve_2015_7550(Actors& m);
void cve_2017_6346(Actors& m);
void lost_wakeup(Actors& m);

/// Adds to a variable by a read and a write.
void add(Actors& m, Actors::Variable x, std::int64_t value);

}  // namespace mishap::test
