#pragma once

// Mazurkiewicz traces of machine runs, by definition and without hashes: the slow reference for fingerprints and DPOR.

#include <string>

#include "sim/machine.hpp"

namespace mishap::test {

/// Returns whether two footprints conflict: some object is in both, and not both only read it.
bool do_conflict(std::span<const Touch> a, std::span<const Touch> b);

/// Returns a text that is equal for exactly those runs of one program that differ in the order of independent steps only.
///
/// Its words are steps, "thread.step:" and the footprint; they stand in Foata's normal form: layers of independent steps,
/// each as early as possible, sorted within a layer. Answers to data questions are part of the words. Source: V. Diekert,
/// Y. Metivier, "Partial Commutation and Traces" (1997), section 2.3.
std::string canonical_trace(const Machine& machine);

}  // namespace mishap::test
