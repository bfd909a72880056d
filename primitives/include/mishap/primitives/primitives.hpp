#pragma once

// asyncio's vocabulary, all of it.

#include <mishap/primitives/as_completed.hpp>
#include <mishap/primitives/async_result.hpp>
#include <mishap/primitives/async_with.hpp>
#include <mishap/primitives/barrier.hpp>
#include <mishap/primitives/clock.hpp>
#include <mishap/primitives/cond_var.hpp>
#include <mishap/primitives/condition.hpp>
#include <mishap/primitives/ensure_future.hpp>
#include <mishap/primitives/event.hpp>
#include <mishap/primitives/exception_group.hpp>
#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/lifo_queue.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/looping_call.hpp>
#include <mishap/primitives/mutex.hpp>
#include <mishap/primitives/pool.hpp>
#include <mishap/primitives/priority_queue.hpp>
#include <mishap/primitives/queue.hpp>
#include <mishap/primitives/queue_items.hpp>
#include <mishap/primitives/semaphore.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/primitives/shield.hpp>
#include <mishap/primitives/spawn.hpp>
#include <mishap/primitives/staggered_race.hpp>
#include <mishap/primitives/task_group.hpp>
#include <mishap/primitives/thread.hpp>
#include <mishap/primitives/timeout.hpp>
#include <mishap/primitives/wait.hpp>
#include <mishap/primitives/wait_for.hpp>
