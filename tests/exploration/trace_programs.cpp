#include "exploration/trace_programs.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <mishap/loop/await.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/cond_var.hpp>
#include <mishap/primitives/condition.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/mutex.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/primitives/thread.hpp>

namespace mishap::test {

namespace {

/// What simulated threads are played with: they can be preempted before each operation.
struct ByThreads {
    using Variable = Shared<int>;
    using Mutex = mishap::Mutex;
    class CondVar : public mishap::CondVar {
    public:
        explicit CondVar(Mutex&) {}
    };

    class Crew {
    public:
        template <class F>
        void start(F function) {
            threads_.emplace_back(std::move(function));
        }
        void join() { join_all(threads_); }

    private:
        std::vector<Thread> threads_;
    };
};

void give_way() { sleep(std::chrono::nanoseconds(0)); }

/// What tasks are played with: they give way before each operation, which is all that a scheduler can do to them.
struct ByTasks {
    class Variable {
    public:
        explicit Variable(int value = 0) : value_(value) {}
        int load() {
            give_way();
            return value_.load();
        }
        void store(int value) {
            give_way();
            value_.store(value);
        }
        int fetch_add(int value) {
            give_way();
            return value_.fetch_add(value);
        }
        bool compare_exchange(int& expected, int desired) {
            give_way();
            return value_.compare_exchange(expected, desired);
        }

    private:
        Shared<int> value_;
    };

    class Mutex {
    public:
        void lock() {
            give_way();
            lock_.acquire();
        }
        void unlock() {
            give_way();
            lock_.release();
        }
        Lock& lock_of_tasks() { return lock_; }

    private:
        Lock lock_;
    };

    class CondVar {
    public:
        explicit CondVar(Mutex& mutex) : condition_(mutex.lock_of_tasks()) {}
        void wait(Mutex&) {
            give_way();
            condition_.wait();
        }
        void notify_one() {
            give_way();
            condition_.notify();
        }

    private:
        Condition condition_;
    };

    class Crew {
    public:
        template <class F>
        void start(F function) {
            tasks_.push_back(create_task(std::move(function)));
        }
        void join() {
            for (const Task<void>& task : tasks_) {
                await(task);
            }
        }

    private:
        std::vector<Task<void>> tasks_;
    };
};

/// So many things of a kind that can neither be copied nor moved.
template <class T>
class Several {
public:
    explicit Several(int count) {
        for (int i = 0; i < count; ++i) {
            things_.emplace_back();
        }
    }
    template <class V>
    Several(int count, V initial) {
        for (int i = 0; i < count; ++i) {
            things_.emplace_back(initial);
        }
    }
    T& operator[](int i) { return things_[static_cast<std::size_t>(i)]; }

private:
    std::deque<T> things_;
};

/// The programs, on what `By` has.
template <class By>
struct Programs {
    using Variable = typename By::Variable;
    using Mutex = typename By::Mutex;
    using Guard = std::lock_guard<Mutex>;

    /// Begins `count` threads that call `function(i)`, and waits for them.
    template <class F>
    static void run_threads(int count, F function) {
        typename By::Crew crew;
        for (int i = 0; i < count; ++i) {
            crew.start([&function, i] { function(i); });
        }
        crew.join();
    }

    static void readers(int count) {
        Variable x;
        run_threads(count + 1, [&](int i) {
            if (i == 0) {
                x.store(1);
            } else {
                x.load();
            }
        });
    }

    static void lastwrite(int writers) {
        Variable x;
        run_threads(writers, [&](int i) { x.store(i + 1); });
        x.load();
    }

    static void floating_read(int writers) {
        Variable x;
        typename By::Crew crew;
        for (int i = 1; i <= writers; ++i) {
            crew.start([&x, i] { x.store(i); });
        }
        x.load();
        crew.join();
    }

    static void ainc(int count) {
        Variable x;
        run_threads(count, [&](int) { x.fetch_add(1); });
    }

    static void binc(int count) {
        Variable x;
        Variable y;
        run_threads(count, [&](int) {
            x.fetch_add(1);
            y.fetch_add(1);
        });
    }

    static void casrot(int count) {
        Variable x;
        run_threads(count, [&](int i) {
            int expected = i;
            x.compare_exchange(expected, i + 1);
        });
    }

    static void lastzero(int n) {
        Several<Variable> a(n + 1);
        run_threads(n + 1, [&](int j) {
            if (j == 0) {
                for (int i = n; a[i].load() != 0; --i) {
                }
            } else {
                const int before = a[j - 1].load();
                a[j].store(before + 1);
            }
        });
    }

    static void fib_join(int rounds) {
        Several<Variable> number(2, 1);
        run_threads(2, [&](int self) {
            for (int round = 0; round < rounds; ++round) {
                const int u = number[self].load();
                const int v = number[1 - self].load();
                number[self].store(u + v);
            }
        });
    }

    static void account(int depositors) {
        Variable balance{1000};
        run_threads(depositors + 1, [&](int i) {
            const int seen = balance.load();
            balance.store(i < depositors ? seen + 100 : seen - 10);
        });
    }

    static void reorder(int setters, int checkers) {
        Variable x;
        Variable y;
        run_threads(setters + checkers, [&](int i) {
            if (i < setters) {
                x.store(1);
                y.store(-1);
            } else {
                x.load();
                y.load();
            }
        });
    }

    static void write_read_pair(int count) {
        Variable x;
        run_threads(count, [&](int i) {
            x.store(i + 1);
            x.load();
        });
    }

    static void race_tail(int tail) { race_tail_after(20, tail); }
    static void race_tail_after(int rounds, int tail) {
        Several<Variable> own(2);
        Variable shared;
        run_threads(2, [&](int i) {
            for (int k = 0; k < rounds; ++k) {
                own[i].store(k);
                own[i].load();
            }
            for (int k = 0; k < tail; ++k) {
                shared.store(i);
                shared.load();
            }
        });
    }

    static void ring_nolock(int count) {
        Several<Variable> x(count);
        run_threads(count, [&](int i) {
            const int left = x[(i + count - 1) % count].load();
            x[i].store(left + 1);
        });
    }

    static void peterson(int rounds, int tries) {
        Several<Variable> flag(2);
        Variable turn;
        Variable inside;
        run_threads(2, [&](int self) {
            for (int round = 0; round < rounds; ++round) {
                flag[self].store(1);
                turn.store(1 - self);
                bool may_enter = false;
                for (int tried = 0; tried < tries && !may_enter; ++tried) {
                    const int other_wants = flag[1 - self].load();
                    const int whose_turn = turn.load();
                    may_enter = other_wants != 1 || whose_turn != 1 - self;
                }
                if (!may_enter) {
                    return;
                }
                inside.store(self + 1);
                inside.load();
                flag[self].store(0);
            }
        });
    }

    static void mutex_counter(int count, int rounds) {
        Mutex mutex;
        Variable x;
        run_threads(count, [&](int) {
            for (int round = 0; round < rounds; ++round) {
                const Guard guard(mutex);
                const int seen = x.load();
                x.store(seen + 1);
            }
        });
    }

    static void token_ring(int count) {
        Mutex mutex;
        Several<Variable> x(count);
        run_threads(count, [&](int i) {
            const Guard guard(mutex);
            const int left = x[(i + count - 1) % count].load();
            x[i].store(left + 1);
        });
    }

    static void circular_buffer(int rounds) {
        Mutex mutex;
        Variable send{1};
        Variable receive{0};
        run_threads(2, [&](int i) {
            Variable& mine = i == 0 ? send : receive;
            Variable& theirs = i == 0 ? receive : send;
            for (int round = 0; round < rounds; ++round) {
                const Guard guard(mutex);
                if (mine.load() != 0) {
                    mine.store(0);
                    theirs.store(1);
                }
            }
        });
    }

    static void indexer(int count) { indexer_of(count, 4, 128); }
    static void indexer_of(int count, int entries, int cells) {
        Several<Mutex> mutex(cells);
        Several<Variable> table(cells);
        run_threads(count, [&](int id) {
            for (int k = 1; k <= entries; ++k) {
                const int value = 11 * k + id;
                int cell = 7 * value % cells;
                for (bool is_done = false; !is_done; cell = (cell + 1) % cells) {
                    const Guard guard(mutex[cell]);
                    if (table[cell].load() == 0) {
                        table[cell].store(value);
                        is_done = true;
                    }
                }
            }
        });
    }

    static void filesystem(int count) { filesystem_of(count, 32, 26); }
    static void filesystem_of(int count, int inodes, int blocks) {
        Several<Mutex> inode_mutex(inodes);
        Several<Variable> inode(inodes);
        Several<Mutex> block_mutex(blocks);
        Several<Variable> is_busy(blocks);
        run_threads(count, [&](int id) {
            const int own = id % inodes;
            const Guard guard(inode_mutex[own]);
            if (inode[own].load() != 0) {
                return;
            }
            int block = 2 * own % blocks;
            for (bool is_done = false; !is_done; block = (block + 1) % blocks) {
                const Guard block_guard(block_mutex[block]);
                if (is_busy[block].load() == 0) {
                    is_busy[block].store(1);
                    inode[own].store(block + 1);
                    is_done = true;
                }
            }
        });
    }

    /// Philosopher i takes fork i and the next; `ordered`, the lower-numbered first.
    static void philosophers(int count, bool ordered) {
        Several<Mutex> fork(count);
        run_threads(count, [&](int i) {
            const int next = (i + 1) % count;
            const Guard first(fork[ordered ? std::min(i, next) : i]);
            const Guard second(fork[ordered ? std::max(i, next) : next]);
        });
    }

    static void phil_ordered(int count) { philosophers(count, true); }
    static void phil_deadlock(int count) { philosophers(count, false); }

    static void deadlock_ab() {
        Several<Mutex> mutex(2);
        Variable x;
        run_threads(2, [&](int i) {
            const Guard first(mutex[i]);
            const Guard second(mutex[1 - i]);
            x.store(i + 1);
        });
    }

    static void condvar_pc(int rounds) {
        Mutex mutex;
        Variable filled;
        typename By::CondVar not_full{mutex};
        typename By::CondVar not_empty{mutex};
        run_threads(2, [&](int i) {
            typename By::CondVar& mine = i == 0 ? not_full : not_empty;
            typename By::CondVar& theirs = i == 0 ? not_empty : not_full;
            for (int round = 0; round < rounds; ++round) {
                const Guard guard(mutex);
                while (filled.load() != i) {
                    mine.wait(mutex);
                }
                filled.store(1 - i);
                theirs.notify_one();
            }
        });
    }

    static void disjoint(int count, int rounds) {
        Several<Variable> x(count);
        run_threads(count, [&](int i) {
            for (int round = 0; round < rounds; ++round) {
                const int seen = x[i].load();
                x[i].store(seen + 1);
            }
        });
    }
};

class Rows {
public:
    explicit Rows(std::uint64_t traces_max) : traces_max_(traces_max) {}

    void add(const char* name, void (*program)(int), int n, std::uint64_t traces, std::uint64_t deadlocked = 0) {
        put({name, fmt::format("N={}", n), [program, n] { program(n); }, traces, deadlocked});
    }
    void add(const char* name, void (*program)(int, int), int n, int k, std::uint64_t traces) {
        put({name, fmt::format("N={},K={}", n, k), [program, n, k] { program(n, k); }, traces, 0});
    }
    void put(TraceProgram row) {
        if (row.traces <= traces_max_) {
            rows_.push_back(std::move(row));
        }
    }
    std::vector<TraceProgram> take() { return std::move(rows_); }

private:
    std::uint64_t traces_max_;
    std::vector<TraceProgram> rows_;
};

}  // namespace

std::vector<TraceProgram> trace_programs(std::uint64_t traces_max) {
    using P = Programs<ByThreads>;
    Rows rows(traces_max);
    rows.add("readers", P::readers, 4, 16);
    rows.add("readers", P::readers, 8, 256);
    rows.add("readers", P::readers, 12, 4096);
    rows.add("readers", P::readers, 16, 65536);
    rows.add("lastwrite", P::lastwrite, 5, 120);
    rows.add("lastwrite", P::lastwrite, 7, 5040);
    rows.add("lastwrite", P::lastwrite, 8, 40320);
    rows.add("floating_read", P::floating_read, 4, 120);
    rows.add("floating_read", P::floating_read, 6, 5040);
    rows.add("floating_read", P::floating_read, 7, 40320);
    rows.add("ainc", P::ainc, 4, 24);
    rows.add("ainc", P::ainc, 6, 720);
    rows.add("ainc", P::ainc, 8, 40320);
    rows.add("binc", P::binc, 3, 36);
    rows.add("binc", P::binc, 4, 576);
    rows.add("binc", P::binc, 5, 14400);
    rows.add("casrot", P::casrot, 4, 14);
    rows.add("casrot", P::casrot, 6, 144);
    rows.add("casrot", P::casrot, 8, 2048);
    rows.add("lastzero", P::lastzero, 5, 64);
    rows.add("lastzero", P::lastzero, 6, 144);
    rows.add("lastzero", P::lastzero, 8, 704);
    rows.add("lastzero", P::lastzero, 10, 3328);
    rows.add("lastzero", P::lastzero, 12, 15360);
    rows.add("fib_join", P::fib_join, 3, 141);
    rows.add("fib_join", P::fib_join, 4, 1107);
    rows.add("fib_join", P::fib_join, 5, 8953);
    rows.add("account", P::account, 3, 576);
    rows.add("account", P::account, 4, 14400);
    rows.add("account", P::account, 5, 518400);
    rows.add("reorder", P::reorder, 2, 1, 36);
    rows.add("reorder", P::reorder, 3, 1, 576);
    rows.add("reorder", P::reorder, 4, 1, 14400);
    rows.add("reorder", P::reorder, 5, 1, 518400);
    rows.add("write_read_pair", P::write_read_pair, 3, 36);
    rows.add("write_read_pair", P::write_read_pair, 4, 576);
    rows.add("write_read_pair", P::write_read_pair, 5, 14400);
    rows.add("race_tail", P::race_tail, 2, 34);
    rows.add("race_tail", P::race_tail, 4, 3334);
    rows.add("race_tail", P::race_tail, 6, 372436);
    rows.add("ring_nolock", P::ring_nolock, 3, 7);
    rows.add("ring_nolock", P::ring_nolock, 4, 15);
    rows.add("ring_nolock", P::ring_nolock, 8, 255);
    rows.add("ring_nolock", P::ring_nolock, 12, 4095);
    rows.add("peterson", P::peterson, 1, 1, 14);
    rows.add("peterson", P::peterson, 1, 2, 26);
    rows.add("peterson", P::peterson, 2, 2, 2420);
    rows.add("peterson", P::peterson, 2, 3, 10314);
    rows.add("mutex_counter", P::mutex_counter, 2, 1, 2);
    rows.add("mutex_counter", P::mutex_counter, 2, 3, 20);
    rows.add("mutex_counter", P::mutex_counter, 2, 5, 252);
    rows.add("mutex_counter", P::mutex_counter, 3, 2, 90);
    rows.add("mutex_counter", P::mutex_counter, 3, 3, 1680);
    rows.add("mutex_counter", P::mutex_counter, 4, 2, 2520);
    rows.add("token_ring", P::token_ring, 3, 6);
    rows.add("token_ring", P::token_ring, 4, 24);
    rows.add("token_ring", P::token_ring, 6, 720);
    rows.add("circular_buffer", P::circular_buffer, 3, 20);
    rows.add("circular_buffer", P::circular_buffer, 5, 252);
    rows.add("circular_buffer", P::circular_buffer, 7, 3432);
    rows.add("circular_buffer", P::circular_buffer, 8, 12870);
    rows.add("indexer", P::indexer, 11, 1);
    rows.add("indexer", P::indexer, 12, 8);
    rows.add("indexer", P::indexer, 13, 64);
    rows.add("indexer", P::indexer, 14, 512);
    rows.add("indexer", P::indexer, 15, 4096);
    rows.add("filesystem", P::filesystem, 13, 1);
    rows.add("filesystem", P::filesystem, 14, 2);
    rows.add("filesystem", P::filesystem, 16, 8);
    rows.add("filesystem", P::filesystem, 18, 32);
    rows.add("filesystem", P::filesystem, 20, 128);
    rows.add("filesystem", P::filesystem, 22, 512);
    rows.add("phil_ordered", P::phil_ordered, 3, 6);
    rows.add("phil_ordered", P::phil_ordered, 4, 14);
    rows.add("phil_ordered", P::phil_ordered, 5, 30);
    rows.add("phil_ordered", P::phil_ordered, 8, 254);
    rows.add("phil_deadlock", P::phil_deadlock, 2, 3, 1);
    rows.add("phil_deadlock", P::phil_deadlock, 3, 7, 1);
    rows.add("phil_deadlock", P::phil_deadlock, 4, 15, 1);
    rows.add("phil_deadlock", P::phil_deadlock, 5, 31, 1);
    rows.add("phil_deadlock", P::phil_deadlock, 8, 255, 1);
    rows.put({"deadlock_ab", "", P::deadlock_ab, 3, 1});
    rows.add("condvar_pc", P::condvar_pc, 1, 2);
    rows.add("condvar_pc", P::condvar_pc, 2, 8);
    rows.add("condvar_pc", P::condvar_pc, 3, 32);
    rows.add("condvar_pc", P::condvar_pc, 4, 128);
    rows.add("condvar_pc", P::condvar_pc, 5, 512);
    rows.add("disjoint", P::disjoint, 4, 3, 1);
    rows.add("disjoint", P::disjoint, 8, 3, 1);
    return rows.take();
}

std::vector<TraceProgram> task_programs() {
    using P = Programs<ByTasks>;
    Rows rows(1);
    for (const int n : {2, 3}) {
        rows.add("readers", P::readers, n, 0);
        rows.add("lastwrite", P::lastwrite, n + 1, 0);
        rows.add("floating_read", P::floating_read, n + 1, 0);
        rows.add("ainc", P::ainc, n + 1, 0);
        rows.add("binc", P::binc, n, 0);
        rows.add("casrot", P::casrot, n + 1, 0);
        rows.add("write_read_pair", P::write_read_pair, n, 0);
        rows.add("ring_nolock", P::ring_nolock, n, 0);
        rows.add("token_ring", P::token_ring, n, 0);
        rows.add("mutex_counter", P::mutex_counter, n, 1, 0);
    }
    for (const int n : {1, 2}) {
        rows.add("lastzero", P::lastzero, n, 0);
        rows.add("fib_join", P::fib_join, n, 0);
        rows.add("account", P::account, n, 0);
        rows.add("reorder", P::reorder, n, 1, 0);
        rows.add("circular_buffer", P::circular_buffer, n, 0);
        rows.add("condvar_pc", P::condvar_pc, n, 0);
        rows.add("disjoint", P::disjoint, 2, n, 0);
    }
    rows.add("mutex_counter", P::mutex_counter, 2, 2, 0);
    rows.add("peterson", P::peterson, 1, 1, 0);
    rows.add("phil_ordered", P::phil_ordered, 2, 0);
    rows.add("phil_deadlock", P::phil_deadlock, 2, 0);
    rows.put({"deadlock_ab", "", P::deadlock_ab, 0, 0});
    // These are cut down: a private prefix of one round; all entries fall into one cell; two inodes want one block.
    rows.put({"race_tail", "N=2, 1 round", [] { P::race_tail_after(1, 2); }, 0, 0});
    rows.put({"indexer", "N=2, 7 cells", [] { P::indexer_of(2, 1, 7); }, 0, 0});
    rows.put({"filesystem", "N=2, 1 inode", [] { P::filesystem_of(2, 1, 2); }, 0, 0});
    rows.put({"filesystem", "N=2, 2 inodes", [] { P::filesystem_of(2, 2, 2); }, 0, 0});
    return rows.take();
}

}  // namespace mishap::test
