// Programs that work because things happen to come in one order.

#include "edits.hpp"

namespace mishap::edits {

namespace {

using namespace std::chrono_literals;

/// A flag that tells the consumer of the end comes too late (see examples/producer_consumer.cpp).
void end_by_flag() {
    Queue<int> queue{1, name("queue")};
    bool is_finished = false;
    const int items = bound("items", 2);
    Task<void> producer;
    Task<void> consumer;
    task("first of all");
    spawn("producer and consumer",
          [&] {
              producer = create_task(
                  [&] {
                      for (int i = 0; i < items; ++i) {
                          line("before it puts");
                          queue.put(i);
                      }
                      sleep(0s);
                      is_finished = true;
                  },
                  {.name = "producer"});
          },
          [&] {
              consumer = create_task(
                  [&] {
                      while (!is_finished || !queue.empty()) {
                          queue.get();
                          line("behind what it got");
                          sleep(0s);
                      }
                  },
                  {.name = "consumer"});
          });
    task("behind both");
    elsewhere("main, before it gathers");
    gather(producer, consumer);
}

/// A waiter looks at a flag, does something else, and then waits for a notification that was before.
void missed_notification() {
    Event changed{name("changed")};
    bool is_ready = false;
    Task<void> waiter;
    Task<void> notifier;
    task("first of all");
    spawn("waiter and notifier",
          [&] {
              waiter = create_task(
                  [&] {
                      line("before it looks");
                      if (!is_ready) {
                          line("before it waits");
                          sleep(0s);
                          changed.wait();
                      }
                  },
                  {.name = "waiter"});
          },
          [&] {
              notifier = create_task(
                  [&] {
                      for (int i = 0; i < 3; ++i) {
                          sleep(0s);
                      }
                      is_ready = true;
                      changed.set();
                      changed.clear();
                  },
                  {.name = "notifier"});
          });
    task("behind both");
    const int turns = bound("main's turns", 1);
    for (int i = 0; i < turns; ++i) {
        elsewhere("main, in its loop");
        sleep(0s);
    }
    gather(waiter, notifier);
}

/// A server answers before its settings are loaded.
void use_before_load() {
    std::optional<int> settings;
    Task<void> loader;
    Task<void> server;
    const int files = bound("files", 2);
    task("first of all");
    spawn("loader and server",
          [&] {
              loader = create_task(
                  [&] {
                      for (int i = 0; i < files; ++i) {
                          line("before a file");
                          sleep(0s);
                      }
                      settings = 1;
                  },
                  {.name = "loader"});
          },
          [&] {
              server = create_task(
                  [&] {
                      for (int i = 0; i < 5; ++i) {
                          sleep(0s);
                      }
                      line("before it answers");
                      always(settings.has_value(), "settings are loaded before they are used");
                  },
                  {.name = "server"});
          });
    task("behind both");
    elsewhere("main, before it gathers");
    gather(loader, server);
}

/// Two requests for one page: both find the cache empty.
void cache_filled_twice() {
    bool is_cached = false;
    int loads = 0;
    Lock backend{name("backend")};
    const auto request = [&] {
        line("before it looks");
        if (is_cached) {
            return;
        }
        {
            const auto guard = backend.guard();
            sleep(0s);
            line("while it loads");
            ++loads;
        }
        is_cached = true;
    };
    TaskOptions options;
    options.name = "request";
    Task<void> early;
    Task<void> late;
    task("first of all");
    spawn("requests", [&] { early = create_task(request, options); },
          [&] {
              late = create_task(
                  [&] {
                      sleep(0s);
                      sleep(0s);
                      sleep(0s);
                      request();
                  },
                  options);
          });
    const int pings = bound("pings", 1);
    const auto ping = create_task(
        [&] {
            for (int i = 0; i < pings; ++i) {
                elsewhere("the ping");
                sleep(0s);
            }
        },
        {.name = "ping"});
    gather(early, late, ping);
    always(loads == 1, "a page is loaded once");
}

/// Two faults in a row are one more than the retry is for.
void retry_too_short() {
    int stored = 0;
    Lock disk{name("disk")};
    const auto store = [&] {
        for (int attempt = 0; attempt < 2; ++attempt) {
            line("before it stores");
            const auto guard = disk.guard();
            sleep(0s);
            if (!fault("disk")) {
                ++stored;
                return;
            }
        }
    };
    Task<void> one;
    Task<void> two;
    task("first of all");
    spawn("writers", [&] { one = create_task(store, {.name = "one"}); },
          [&] { two = create_task(store, {.name = "two"}); });
    task("behind the writers");
    const int turns = bound("main's turns", 1);
    for (int i = 0; i < turns; ++i) {
        elsewhere("main, in its loop");
        sleep(0s);
    }
    gather(one, two);
    always(stored == 2, "everything is stored");
}

/// A size that the program draws, and a rival that comes in between: three things have to go wrong together.
void full_buffer() {
    int free = 3;
    Task<void> writer;
    Task<void> rival;
    task("first of all");
    spawn("writer and rival",
          [&] {
              writer = create_task(
                  [&] {
                      const int size = 1 + static_cast<int>(choose(3, "size"));
                      line("before it looks");
                      if (free >= size) {
                          sleep(0s);
                          line("before it writes");
                          free -= size;
                      }
                  },
                  {.name = "writer"});
          },
          [&] {
              rival = create_task(
                  [&] {
                      for (int i = 0; i < 4; ++i) {
                          sleep(0s);
                      }
                      if (free >= 1) {
                          --free;
                      }
                  },
                  {.name = "rival"});
          });
    task("behind both");
    elsewhere("main, before it gathers");
    gather(writer, rival);
    always(free >= 0, "the buffer holds what is written");
}

}  // namespace

std::vector<Fixture> order_fixtures() {
    return {{"end_by_flag", end_by_flag, {}},
            {"missed_notification", missed_notification, {}},
            {"use_before_load", use_before_load, {}},
            {"cache_filled_twice", cache_filled_twice, {}},
            {"retry_too_short", retry_too_short, {}},
            {"full_buffer", full_buffer, {}}};
}

}  // namespace mishap::edits
