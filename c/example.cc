// What a C++ program does to be watched; it needs no more than mmstats.h. The struct's end is the end of the time:
//
//     c++ example.cc $(pkg-config --cflags --libs mmstats) -o example && ./example
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include <mmstats.h>

namespace {

struct Closed {
    void operator()(mmstats_publisher *publisher) const { mmstats_close(publisher); }
};

class Timed {
public:
    explicit Timed(mmstats_stat *timer) : timer_(timer), begin_(mmstats_now()) {}
    ~Timed() { mmstats_since(timer_, begin_); }
    Timed(const Timed &) = delete;
    Timed &operator=(const Timed &) = delete;

private:
    mmstats_stat *timer_;
    std::uint64_t begin_;
};

} // namespace

int main(int argc, char **argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
    std::unique_ptr<mmstats_publisher, Closed> publisher(mmstats_open(nullptr));
    const char *tags[] = {"worker"};
    mmstats_about by_worker = {};
    by_worker.scale = 3;
    by_worker.tags = tags;
    by_worker.tag_count = 1;
    mmstats_stat *jobs = mmstats_counter(publisher.get(), "jobs", &by_worker);
    mmstats_stat *latency = mmstats_timer(publisher.get(), "latency", nullptr);

    std::vector<std::thread> threads;
    for (const char *name : {"one", "other"}) {
        threads.emplace_back([=] {
            mmstats_stat *mine = mmstats_tagged(jobs, &name);
            for (int i = 0; i < rounds; i++) {
                Timed timed(latency);
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
                mmstats_incr(mine, 1);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    std::printf("%s\n", mmstats_file(publisher.get()));
    return 0;
}
