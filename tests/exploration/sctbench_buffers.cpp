// Producers and consumers.

#include "sim/sctbench_programs.hpp"

#include "sim/sctbench.hpp"

namespace mishap::test {
namespace {

using Variable = Machine::Variable;
using Variables = Machine::Variables;
using Mutex = Machine::Mutex;
using CondVar = Machine::CondVar;

// producers and consumers of a number: arithmetic_prog_bad, sync01_bad, sync02_bad

struct Numbers {
    Mutex mutex;
    CondVar empty, full;
    Variable num;
};

Numbers make_numbers(Machine& m, std::int64_t num) { return {m.mutex(), m.cond_var(), m.cond_var(), m.variable(num)}; }

ThreadBody produce(Machine& m, Numbers n, int times) {
    for (int i = 0; i < times; ++i) {
        co_await m.lock(n.mutex);
        while (true) {
            const std::int64_t num = co_await m.read(n.num);
            if (num <= 0) {
                break;
            }
            co_await m.wait(n.empty, n.mutex);
        }
        co_await add(m, n.num, 1);
        co_await m.unlock(n.mutex);
        co_await m.signal(n.full);
    }
}

ThreadBody consume(Machine& m, Numbers n, int times, std::int64_t amount, bool fails_at_end) {
    for (int i = 0; i < times; ++i) {
        co_await m.lock(n.mutex);
        while (true) {
            const std::int64_t num = co_await m.read(n.num);
            if (num != 0) {
                break;
            }
            co_await m.wait(n.full, n.mutex);
        }
        if (amount != 0) {
            co_await add(m, n.num, -amount);
        }
        co_await m.unlock(n.mutex);
        co_await m.signal(n.empty);
    }
    m.check(!fails_at_end);
}

// circular_buffer_bad: the loops of both sides drift apart

struct Ring {
    Mutex mutex;
    Variable send, receive, next, first;
    Variables cells;
};

ThreadBody send_to_ring(Machine& m, Ring ring) {
    for (int i = 0; i < 7; ++i) {
        co_await m.lock(ring.mutex);
        const std::int64_t may_send = co_await m.read(ring.send);
        if (may_send != 0) {
            const std::int64_t next = co_await m.read(ring.next);
            co_await m.write(ring.cells[next], i);
            co_await m.write(ring.next, (next + 1) % 10);
            co_await m.write(ring.send, 0);
            co_await m.write(ring.receive, 1);
        }
        co_await m.unlock(ring.mutex);
    }
}

ThreadBody receive_from_ring(Machine& m, Ring ring) {
    for (int i = 0; i < 7; ++i) {
        co_await m.lock(ring.mutex);
        const std::int64_t may_receive = co_await m.read(ring.receive);
        if (may_receive != 0) {
            std::int64_t received = -1;
            const std::int64_t next = co_await m.read(ring.next);
            if (next > 0) {
                const std::int64_t first = co_await m.read(ring.first);
                co_await m.write(ring.first, first + 1);
                received = co_await m.read(ring.cells[first]);
            }
            m.check(received == i);
            co_await m.write(ring.receive, 0);
            co_await m.write(ring.send, 1);
        }
        co_await m.unlock(ring.mutex);
    }
}

// queue_bad: as circular_buffer_bad, with twenty elements and a list of what was inserted

struct Queue {
    Mutex mutex;
    Variable enqueue, dequeue, head, tail, amount;
    Variables elements, stored;
};

constexpr int queue_values = 20;

ThreadBody insert(Machine& m, Queue queue, std::int64_t value) {
    const std::int64_t tail = co_await m.read(queue.tail);
    co_await m.write(queue.elements[tail], value);
    co_await add(m, queue.amount, 1);
    co_await m.write(queue.tail, tail + 1);
}

ThreadBody fill_queue(Machine& m, Queue queue) {
    co_await m.lock(queue.mutex);
    co_await insert(m, queue, 0);
    co_await m.write(queue.stored[0], 0);
    co_await m.unlock(queue.mutex);
    for (int i = 0; i + 1 < queue_values; ++i) {
        co_await m.lock(queue.mutex);
        const std::int64_t may_insert = co_await m.read(queue.enqueue);
        if (may_insert != 0) {
            co_await insert(m, queue, i + 1);
            co_await m.write(queue.stored[i + 1], i + 1);
            co_await m.write(queue.enqueue, 0);
            co_await m.write(queue.dequeue, 1);
        }
        co_await m.unlock(queue.mutex);
    }
}

ThreadBody empty_queue(Machine& m, Queue queue) {
    for (int i = 0; i < queue_values; ++i) {
        co_await m.lock(queue.mutex);
        const std::int64_t may_remove = co_await m.read(queue.dequeue);
        if (may_remove != 0) {
            const std::int64_t head = co_await m.read(queue.head);
            const std::int64_t value = co_await m.read(queue.elements[head]);
            co_await add(m, queue.amount, -1);
            co_await m.write(queue.head, head + 1);
            const std::int64_t stored = co_await m.read(queue.stored[i]);
            m.check(value == stored);
            co_await m.write(queue.dequeue, 0);
            co_await m.write(queue.enqueue, 1);
        }
        co_await m.unlock(queue.mutex);
    }
}

// stack_bad: the flag is never cleared

struct Stack {
    Mutex mutex;
    Variable top, flag;
    Variables cells;
};

ThreadBody push(Machine& m, Stack stack) {
    for (int i = 0; i < 10; ++i) {
        co_await m.lock(stack.mutex);
        const std::int64_t top = co_await m.read(stack.top);
        co_await m.write(stack.cells[top], i);
        co_await m.write(stack.top, top + 1);
        co_await m.write(stack.flag, 1);
        co_await m.unlock(stack.mutex);
    }
}

ThreadBody pop(Machine& m, Stack stack) {
    for (int i = 0; i < 10; ++i) {
        co_await m.lock(stack.mutex);
        const std::int64_t flag = co_await m.read(stack.flag);
        if (flag != 0) {
            const std::int64_t top = co_await m.read(stack.top);
            m.check(top != 0);
            if (top == 0) {
                co_return;
            }
            co_await m.write(stack.top, top - 1);
            co_await m.read(stack.cells[top - 1]);
        }
        co_await m.unlock(stack.mutex);
    }
}

}  // namespace

void arithmetic_prog_bad(Machine& m) {
    const Numbers n = make_numbers(m, 0);
    m.thread(produce(m, n, 3));
    m.thread(consume(m, n, 3, 1, true));
}

void sync01_bad(Machine& m) {
    const Numbers n = make_numbers(m, 1);
    m.thread(produce(m, n, 1));
    m.thread(consume(m, n, 1, 0, false));
}

void sync02_bad(Machine& m) {
    const Numbers n = make_numbers(m, 2);
    m.thread(produce(m, n, 2));
    m.thread(consume(m, n, 2, 1, false));
}

void circular_buffer_bad(Machine& m) {
    const Ring ring{m.mutex(), m.variable(1), m.variable(), m.variable(), m.variable(), m.variables(10)};
    m.thread(send_to_ring(m, ring));
    m.thread(receive_from_ring(m, ring));
}

void queue_bad(Machine& m) {
    const Queue queue{m.mutex(),    m.variable(1), m.variable(), m.variable(), m.variable(),
                      m.variable(), m.variables(queue_values), m.variables(queue_values)};
    m.thread(fill_queue(m, queue));
    m.thread(empty_queue(m, queue));
}

void stack_bad(Machine& m) {
    const Stack stack{m.mutex(), m.variable(), m.variable(), m.variables(10)};
    m.thread(push(m, stack));
    m.thread(pop(m, stack));
}

}  // namespace mishap::test
