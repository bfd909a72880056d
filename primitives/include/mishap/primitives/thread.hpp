#pragma once

// `Thread` lives in `loop`, as executors are made of it; its mutexes and condition variables are primitives.

#include <mishap/loop/thread.hpp>
