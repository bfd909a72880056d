// Producers and consumers.

#include "exploration/sctbench_programs.hpp"

#include "exploration/sctbench.hpp"

namespace mishap::test {
namespace {

using Variable = Actors::Variable;
using Variables = Actors::Variables;
using Mutex = Actors::Mutex;
using CondVar = Actors::CondVar;

// producers and consumers of a number: arithmetic_prog_bad, sync01_bad, sync02_bad

struct Numbers {
    Mutex mutex;
    CondVar empty, full;
    Variable num;
};

Numbers make_numbers(Actors& m, std::int64_t num) { return {m.mutex(), m.cond_var(), m.cond_var(), m.variable(num)}; }

void produce(Actors& m, Numbers n, int times) {
    for (int i = 0; i < times; ++i) {
        m.lock(n.mutex);
        while (true) {
            const std::int64_t num = m.read(n.num);
            if (num <= 0) {
                break;
            }
            m.wait(n.empty, n.mutex);
        }
        add(m, n.num, 1);
        m.unlock(n.mutex);
        m.signal(n.full);
    }
}

void consume(Actors& m, Numbers n, int times, std::int64_t amount, bool fails_at_end) {
    for (int i = 0; i < times; ++i) {
        m.lock(n.mutex);
        while (true) {
            const std::int64_t num = m.read(n.num);
            if (num != 0) {
                break;
            }
            m.wait(n.full, n.mutex);
        }
        if (amount != 0) {
            add(m, n.num, -amount);
        }
        m.unlock(n.mutex);
        m.signal(n.empty);
    }
    m.check(!fails_at_end);
}

// circular_buffer_bad: the loops of both sides drift apart

struct Ring {
    Mutex mutex;
    Variable send, receive, next, first;
    Variables cells;
};

void send_to_ring(Actors& m, Ring ring) {
    for (int i = 0; i < 7; ++i) {
        m.lock(ring.mutex);
        const std::int64_t may_send = m.read(ring.send);
        if (may_send != 0) {
            const std::int64_t next = m.read(ring.next);
            m.write(ring.cells[next], i);
            m.write(ring.next, (next + 1) % 10);
            m.write(ring.send, 0);
            m.write(ring.receive, 1);
        }
        m.unlock(ring.mutex);
    }
}

void receive_from_ring(Actors& m, Ring ring) {
    for (int i = 0; i < 7; ++i) {
        m.lock(ring.mutex);
        const std::int64_t may_receive = m.read(ring.receive);
        if (may_receive != 0) {
            std::int64_t received = -1;
            const std::int64_t next = m.read(ring.next);
            if (next > 0) {
                const std::int64_t first = m.read(ring.first);
                m.write(ring.first, first + 1);
                received = m.read(ring.cells[first]);
            }
            m.check(received == i);
            m.write(ring.receive, 0);
            m.write(ring.send, 1);
        }
        m.unlock(ring.mutex);
    }
}

// queue_bad: as circular_buffer_bad, with twenty elements and a list of what was inserted

struct Queue {
    Mutex mutex;
    Variable enqueue, dequeue, head, tail, amount;
    Variables elements, stored;
};

constexpr int queue_values = 20;

void insert(Actors& m, Queue queue, std::int64_t value) {
    const std::int64_t tail = m.read(queue.tail);
    m.write(queue.elements[tail], value);
    add(m, queue.amount, 1);
    m.write(queue.tail, tail + 1);
}

void fill_queue(Actors& m, Queue queue) {
    m.lock(queue.mutex);
    insert(m, queue, 0);
    m.write(queue.stored[0], 0);
    m.unlock(queue.mutex);
    for (int i = 0; i + 1 < queue_values; ++i) {
        m.lock(queue.mutex);
        const std::int64_t may_insert = m.read(queue.enqueue);
        if (may_insert != 0) {
            insert(m, queue, i + 1);
            m.write(queue.stored[i + 1], i + 1);
            m.write(queue.enqueue, 0);
            m.write(queue.dequeue, 1);
        }
        m.unlock(queue.mutex);
    }
}

void empty_queue(Actors& m, Queue queue) {
    for (int i = 0; i < queue_values; ++i) {
        m.lock(queue.mutex);
        const std::int64_t may_remove = m.read(queue.dequeue);
        if (may_remove != 0) {
            const std::int64_t head = m.read(queue.head);
            const std::int64_t value = m.read(queue.elements[head]);
            add(m, queue.amount, -1);
            m.write(queue.head, head + 1);
            const std::int64_t stored = m.read(queue.stored[i]);
            m.check(value == stored);
            m.write(queue.dequeue, 0);
            m.write(queue.enqueue, 1);
        }
        m.unlock(queue.mutex);
    }
}

// stack_bad: the flag is never cleared

struct Stack {
    Mutex mutex;
    Variable top, flag;
    Variables cells;
};

void push(Actors& m, Stack stack) {
    for (int i = 0; i < 10; ++i) {
        m.lock(stack.mutex);
        const std::int64_t top = m.read(stack.top);
        m.write(stack.cells[top], i);
        m.write(stack.top, top + 1);
        m.write(stack.flag, 1);
        m.unlock(stack.mutex);
    }
}

void pop(Actors& m, Stack stack) {
    for (int i = 0; i < 10; ++i) {
        m.lock(stack.mutex);
        const std::int64_t flag = m.read(stack.flag);
        if (flag != 0) {
            const std::int64_t top = m.read(stack.top);
            m.check(top != 0);
            if (top == 0) {
                return;
            }
            m.write(stack.top, top - 1);
            m.read(stack.cells[top - 1]);
        }
        m.unlock(stack.mutex);
    }
}

}  // namespace

void arithmetic_prog_bad(Actors& m) {
    const Numbers n = make_numbers(m, 0);
    m.thread([=, &m] { produce(m, n, 3); });
    m.thread([=, &m] { consume(m, n, 3, 1, true); });
}

void sync01_bad(Actors& m) {
    const Numbers n = make_numbers(m, 1);
    m.thread([=, &m] { produce(m, n, 1); });
    m.thread([=, &m] { consume(m, n, 1, 0, false); });
}

void sync02_bad(Actors& m) {
    const Numbers n = make_numbers(m, 2);
    m.thread([=, &m] { produce(m, n, 2); });
    m.thread([=, &m] { consume(m, n, 2, 1, false); });
}

void circular_buffer_bad(Actors& m) {
    const Ring ring{m.mutex(), m.variable(1), m.variable(), m.variable(), m.variable(), m.variables(10)};
    m.thread([=, &m] { send_to_ring(m, ring); });
    m.thread([=, &m] { receive_from_ring(m, ring); });
}

void queue_bad(Actors& m) {
    const Queue queue{m.mutex(),    m.variable(1), m.variable(), m.variable(), m.variable(),
                      m.variable(), m.variables(queue_values), m.variables(queue_values)};
    m.thread([=, &m] { fill_queue(m, queue); });
    m.thread([=, &m] { empty_queue(m, queue); });
}

void stack_bad(Actors& m) {
    const Stack stack{m.mutex(), m.variable(), m.variable(), m.variables(10)};
    m.thread([=, &m] { push(m, stack); });
    m.thread([=, &m] { pop(m, stack); });
}

}  // namespace mishap::test
