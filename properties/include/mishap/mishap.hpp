#pragma once

// All of mishap.

#include <mishap/loop/async_generator.hpp>
#include <mishap/loop/call_graph.hpp>
#include <mishap/loop/coro.hpp>
#include <mishap/loop/executor.hpp>
#include <mishap/loop/run.hpp>
#include <mishap/primitives/primitives.hpp>
#include <mishap/properties/scenario.hpp>
#include <mishap/properties/sweep.hpp>
#include <mishap/sim/choose.hpp>
