// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// To be preloaded: no more than FAILING_THREADS threads can be started by std::thread, as where a limit of
// processes is reached. GLib and OpenCL start theirs in other ways, and end the process where they get none.

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <pthread.h>

namespace {

bool is_of_the_standard_library(void *caller) {
    Dl_info place;
    return dladdr(caller, &place) != 0 && place.dli_fname && std::strstr(place.dli_fname, "libstdc++");
}

long most() {
    static const char *text = std::getenv("FAILING_THREADS");
    return text ? std::atol(text) : -1;
}

std::atomic<long> started{0};

} // namespace

extern "C" int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                              void *argument) {
    static const auto next = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
    if (most() >= 0 && is_of_the_standard_library(__builtin_return_address(0)) &&
        started.fetch_add(1) >= most())
        return EAGAIN;
    return next(thread, attributes, start, argument);
}
