// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/cache.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/device/memory.hpp>
#include <gst/tomo/device/profile.hpp>
#include <gst/tomo/support/debug.hpp>
#include <gst/tomo/support/descriptors.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <gio/gio.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#define GST_CAT_DEFAULT tomo::device_debug()

namespace tomo {

namespace {

struct Found {
    cl_platform_id platform;
    cl_device_id id;
    cl_device_type type;
    std::string name;
    std::string platform_name;
};

// Every device of every platform, in the order the ICD loader gives; the index of the list is the index
// that users give.
std::vector<Found> all_devices() {
    // One thread at a time: PoCL (3.1) tells a second one that there is no device while the first one is at
    // it.
    static std::mutex lock;
    use_threads();
    const std::lock_guard<std::mutex> guard(lock);
    std::vector<Found> found;
    cl_uint n = 0;
    if (clGetPlatformIDs(0, nullptr, &n) != CL_SUCCESS || n == 0)
        return found;
    std::vector<cl_platform_id> platforms(n);
    cl_check(clGetPlatformIDs(n, platforms.data(), nullptr), "listing OpenCL platforms");
    for (cl_platform_id platform : platforms) {
        cl_uint m = 0;
        if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &m) != CL_SUCCESS || m == 0)
            continue;
        std::vector<cl_device_id> ids(m);
        cl_check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, m, ids.data(), nullptr),
                 "listing OpenCL devices");
        for (cl_device_id id : ids)
            found.push_back({platform, id, cl_query<cl_device_type>(clGetDeviceInfo, id, CL_DEVICE_TYPE),
                             cl_query_string(clGetDeviceInfo, id, CL_DEVICE_NAME),
                             cl_query_string(clGetPlatformInfo, platform, CL_PLATFORM_NAME)});
    }
    return found;
}

std::string describe(const std::vector<Found> &devices) {
    std::string list;
    for (std::size_t i = 0; i < devices.size(); i++)
        list += text("%s%zu: %s (%s)", i ? ", " : "", i, devices[i].name.c_str(),
                     devices[i].platform_name.c_str());
    return list;
}

bool is_index(const std::string &selector) {
    return !selector.empty() && selector.find_first_not_of("0123456789") == std::string::npos;
}

bool matches(const std::string &selector, std::size_t index, const std::string &name) {
    if (is_index(selector))
        return std::strtoul(selector.c_str(), nullptr, 10) == index;
    return std::search(name.begin(), name.end(), selector.begin(), selector.end(),
                       [](char a, char b) { return g_ascii_tolower(a) == g_ascii_tolower(b); }) != name.end();
}

std::size_t choose(const std::vector<Found> &devices, std::string selector) {
    if (devices.empty())
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                    "no OpenCL device was found: install the driver of your GPU, or PoCL (package "
                    "pocl-opencl-icd) to compute on the CPU");
    const char *origin = "device";
    if (selector.empty()) {
        if (const char *env = g_getenv("GST_TOMO_DEVICE")) {
            selector = env;
            origin = "GST_TOMO_DEVICE";
        }
    }
    if (selector.empty()) {
        for (cl_device_type type : {CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ACCELERATOR})
            for (std::size_t i = 0; i < devices.size(); i++)
                if (devices[i].type & type)
                    return i;
        return 0;
    }
    for (std::size_t i = 0; i < devices.size(); i++)
        if (matches(selector, i, devices[i].name))
            return i;
    throw Error(GST_RESOURCE_ERROR_NOT_FOUND, text("%s=%s means none of the OpenCL devices; there are %s",
                                                   origin, selector.c_str(), describe(devices).c_str()));
}

// "512M" and the like; 0 where it is no size.
std::size_t parse_size(const char *given) {
    char *end = nullptr;
    double value = g_ascii_strtod(given, &end);
    switch (end == given ? '?' : g_ascii_toupper(*end)) {
    case 'G':
        value *= 1024;
        [[fallthrough]];
    case 'M':
        value *= 1024;
        [[fallthrough]];
    case 'K':
        value *= 1024;
        end++;
        break;
    default:
        break;
    }
    constexpr double most = 9007199254740992.0; // 2^53: far more than any device has, and exact
    return *end == '\0' && value >= 1 && value <= most ? static_cast<std::size_t>(value) : 0;
}

// For tests: on devices that share the host's memory as well, arrays travel through pinned memory.
bool plays_discrete() { return g_strcmp0(g_getenv("GST_TOMO_TEST_DISCRETE"), "1") == 0; }

// The host needs room of its own, so a device that shares its memory takes half of it.
std::size_t default_memory_limit(cl_device_id id, bool shares_host_memory) {
    if (const char *given = g_getenv("GST_TOMO_MEMORY_LIMIT")) {
        if (const std::size_t size = parse_size(given))
            return size;
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("GST_TOMO_MEMORY_LIMIT=%s is no size; wanted bytes, or a number with K, M or G", given));
    }
    const auto total = cl_query<cl_ulong>(clGetDeviceInfo, id, CL_DEVICE_GLOBAL_MEM_SIZE);
    return static_cast<std::size_t>(static_cast<double>(total) * (shares_host_memory ? 0.5 : 0.85));
}

// A cached program is a file of the binary's checksum, as text, and the binary.
constexpr std::size_t checksum_length = 64;

ClProgram load_binary(cl_context context, cl_device_id id, const std::string &path,
                      const std::string &options) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return {};
    std::stringstream contents;
    contents << file.rdbuf();
    const std::string stored = contents.str();
    // Drivers trust what they load, so nothing damaged may reach them.
    const std::string binary = stored.substr(std::min(stored.size(), checksum_length));
    if (stored.compare(0, checksum_length, sha256(binary)) != 0) {
        GST_INFO("cached program %s is damaged, compiling anew", path.c_str());
        return {};
    }
    const auto *data = reinterpret_cast<const unsigned char *>(binary.data());
    const std::size_t size = binary.size();
    cl_int loaded = CL_SUCCESS, status = CL_SUCCESS;
    ClProgram program(clCreateProgramWithBinary(context, 1, &id, &size, &data, &loaded, &status));
    if (status != CL_SUCCESS || loaded != CL_SUCCESS ||
        clBuildProgram(program.get(), 1, &id, options.c_str(), nullptr, nullptr) != CL_SUCCESS) {
        GST_INFO("cached program %s is of no use here, compiling anew", path.c_str());
        return {};
    }
    return program;
}

void store_binary(const ClProgram &program, cl_device_id id, const std::string &path) {
    // A program has an entry for each device of its context, built for or not.
    std::size_t ids_size = 0;
    if (clGetProgramInfo(program.get(), CL_PROGRAM_DEVICES, 0, nullptr, &ids_size) != CL_SUCCESS)
        return;
    std::vector<cl_device_id> ids(ids_size / sizeof(cl_device_id));
    std::vector<std::size_t> sizes(ids.size());
    if (clGetProgramInfo(program.get(), CL_PROGRAM_DEVICES, ids_size, ids.data(), nullptr) != CL_SUCCESS ||
        clGetProgramInfo(program.get(), CL_PROGRAM_BINARY_SIZES, sizes.size() * sizeof sizes[0], sizes.data(),
                         nullptr) != CL_SUCCESS)
        return;
    const std::size_t ours = std::find(ids.begin(), ids.end(), id) - ids.begin();
    if (ours == ids.size() || sizes[ours] == 0)
        return;
    std::string binary(sizes[ours], '\0');
    std::vector<unsigned char *> places(ids.size()); // null: not wanted
    places[ours] = reinterpret_cast<unsigned char *>(binary.data());
    if (clGetProgramInfo(program.get(), CL_PROGRAM_BINARIES, places.size() * sizeof places[0], places.data(),
                         nullptr) != CL_SUCCESS)
        return;
    store_in_cache(path, sha256(binary) + binary);
}

// The line of the source that a message of the compiler means, "name:3:14", with a mark below its place;
// empty where it means none.
std::string marked_line(const std::string &source, const std::string &message) {
    const std::string directive = "\n#line 1 \"";
    for (auto at = source.rfind(directive); at != std::string::npos;
         at = at ? source.rfind(directive, at - 1) : at) {
        const auto name_at = at + directive.size(), name_end = source.find('"', name_at);
        const std::string name = source.substr(name_at, name_end - name_at) + ':';
        unsigned line = 0, column = 0;
        const auto place = message.find(name);
        if (place == std::string::npos ||
            std::sscanf(message.c_str() + place + name.size(), "%u:%u", &line, &column) != 2)
            continue;
        std::istringstream lines(source.substr(source.find('\n', name_end) + 1));
        std::string meant;
        for (unsigned n = 0; n < line; n++)
            if (!std::getline(lines, meant))
                return {};
        return '\n' + meant + '\n' + std::string(column > 0 ? column - 1 : 0, ' ') + '^';
    }
    return {};
}

// The first line of a compiler's log that tells what is wrong, with what it means.
std::string first_error(const std::string &log, const std::string &source) {
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);)
        if (line.find("error") != std::string::npos)
            return line + marked_line(source, line);
    return log.substr(0, log.find('\n'));
}

} // namespace

std::string describe_devices() { return describe(all_devices()); }

static std::optional<std::string> find_kernel_file(const std::string &name) {
    if (const char *path = g_getenv("GST_TOMO_KERNEL_PATH")) {
        std::istringstream folders(path);
        for (std::string folder; std::getline(folders, folder, G_SEARCHPATH_SEPARATOR);) {
            const std::string file = folder + G_DIR_SEPARATOR_S + name;
            if (g_file_test(file.c_str(), G_FILE_TEST_EXISTS))
                return read_text_file(file, "kernels in OpenCL C");
        }
    }
    std::unique_ptr<GBytes, decltype(&g_bytes_unref)> bytes(
        g_resources_lookup_data(("/gst-tomo/kernels/" + name).c_str(), G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr),
        [](GBytes *b) {
            if (b)
                g_bytes_unref(b);
        });
    if (!bytes)
        return {};
    gsize size = 0;
    const auto *data = static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
    return std::string(data, size);
}

bool has_kernel_file(const std::string &name) { return find_kernel_file(name).has_value(); }

std::string kernel_file(const std::string &name) {
    if (auto file = find_kernel_file(name))
        return *std::move(file);
    throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                text("kernel file %s is neither in GST_TOMO_KERNEL_PATH nor built in", name.c_str()));
}

// Device
// ------------------------------------------------------------------------------------------------------

struct Device::ThreadQueue {
    ClQueue queue;
    std::atomic<bool> taken{true};
};

namespace {

// The queues of a thread, given back to their devices when the thread ends.
struct QueuesOfThread {
    struct Entry {
        const Device *device;
        std::weak_ptr<Device::ThreadQueue> queue;
    };
    std::vector<Entry> entries;

    ~QueuesOfThread() {
        for (auto &entry : entries)
            if (auto queue = entry.queue.lock())
                queue->taken = false;
    }
};
thread_local QueuesOfThread queues_of_thread;

} // namespace

Device::Device(cl_device_id id, unsigned index, const ClContext &context)
    : id_(id), index_(index), context_(context), companions_(std::make_unique<Companions>()) {
    const auto type = cl_query<cl_device_type>(clGetDeviceInfo, id, CL_DEVICE_TYPE);
    const auto platform = cl_query<cl_platform_id>(clGetDeviceInfo, id, CL_DEVICE_PLATFORM);
    name_ = cl_query_string(clGetDeviceInfo, id, CL_DEVICE_NAME);
    driver_ = cl_query_string(clGetPlatformInfo, platform, CL_PLATFORM_VERSION) + ", " +
              cl_query_string(clGetDeviceInfo, id, CL_DRIVER_VERSION) + ", " +
              cl_query_string(clGetDeviceInfo, id, CL_DEVICE_VERSION);
    is_cpu_ = type & CL_DEVICE_TYPE_CPU;
    prefers_local_memory_ = !is_cpu_ || g_strcmp0(g_getenv("GST_TOMO_TEST_GPU_KERNELS"), "1") == 0;
    shares_host_memory_ =
        (cl_query<cl_bool>(clGetDeviceInfo, id, CL_DEVICE_HOST_UNIFIED_MEMORY) || is_cpu_) &&
        !plays_discrete();
    has_images_ = !is_cpu_ && cl_query<cl_bool>(clGetDeviceInfo, id, CL_DEVICE_IMAGE_SUPPORT);
    has_fp64_ =
        cl_query_string(clGetDeviceInfo, id, CL_DEVICE_EXTENSIONS).find("cl_khr_fp64") != std::string::npos;
    constexpr cl_device_info compute_capability_major = 0x4000; // cl_nv_device_attribute_query
    if (cl_query_string(clGetDeviceInfo, id, CL_DEVICE_EXTENSIONS).find("cl_nv_device_attribute_query") !=
        std::string::npos)
        has_tensor_cores_ = cl_query<cl_uint>(clGetDeviceInfo, id, compute_capability_major) >= 8;
    local_memory_ = cl_query<cl_ulong>(clGetDeviceInfo, id, CL_DEVICE_LOCAL_MEM_SIZE);
    max_work_group_ = cl_query<std::size_t>(clGetDeviceInfo, id, CL_DEVICE_MAX_WORK_GROUP_SIZE);
    max_allocation_ = cl_query<cl_ulong>(clGetDeviceInfo, id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    base_align_ =
        std::max<std::size_t>(cl_query<cl_uint>(clGetDeviceInfo, id, CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8, 1);
    compute_units_ = cl_query<cl_uint>(clGetDeviceInfo, id, CL_DEVICE_MAX_COMPUTE_UNITS);
    memory_limit_ = default_memory_limit(id, shares_host_memory_);
    upload_ = new_queue();
    download_ = new_queue();
}

Device::~Device() {
    if (is_forked()) {
        static_cast<void>(companions_.release()); // they would ask the driver
        return;
    }
    finish();
    // Blocks refer to this device's queues by their stamps: they go first.
    trim();
}

ClQueue Device::new_queue() {
    cl_int status = CL_SUCCESS;
    ClQueue queue(
        clCreateCommandQueue(context_.get(), id_, is_recording() ? CL_QUEUE_PROFILING_ENABLE : 0, &status));
    cl_check(status, "creating a command queue on " + name_);
    return queue;
}

cl_command_queue Device::queue() {
    must_not_be_forked();
    for (const auto &entry : queues_of_thread.entries)
        if (entry.device == this)
            if (const auto queue = entry.queue.lock())
                return queue->queue.get();

    std::lock_guard<std::mutex> lock(queues_lock_);
    auto free = std::find_if(queues_.begin(), queues_.end(), [](const auto &q) { return !q->taken; });
    std::shared_ptr<ThreadQueue> queue;
    if (free != queues_.end()) {
        queue = *free;
        queue->taken = true;
    } else {
        queue = std::make_shared<ThreadQueue>();
        queue->queue = new_queue();
        queues_.push_back(queue);
    }
    auto &entries = queues_of_thread.entries;
    entries.erase(
        std::remove_if(entries.begin(), entries.end(), [](const auto &e) { return e.queue.expired(); }),
        entries.end());
    entries.push_back({this, queue});
    return queue->queue.get();
}

void Device::finish() noexcept {
    if (is_forked())
        return;
    std::vector<ClQueue> queues{upload_, download_};
    {
        std::lock_guard<std::mutex> lock(queues_lock_);
        for (const auto &queue : queues_)
            queues.push_back(queue->queue);
    }
    for (const auto &queue : queues)
        clFinish(queue.get());
}

ClProgram Device::program(const std::string &name, const std::string &source, const std::string &options) {
    must_not_be_forked();
    const std::string key = driver_ + '\n' + name_ + '\n' + options + '\n' + source;
    const std::string path = cache_path(key, "clbin");
    // Held while compiling, so that elements which start together compile a program once.
    std::lock_guard<std::mutex> lock(programs_lock_);
    if (const auto known = programs_.find(path); known != programs_.end())
        return known->second;

    // PoCL (3.1) ends the process when it can't link a kernel, which it does by the linker's program.
    constexpr unsigned files_of_compiler = 32;
    need_files(files_of_compiler, "the OpenCL compiler");
    ClProgram program = load_binary(context_.get(), id_, path, options);
    if (!program) {
        GST_INFO("compiling %s for %s with '%s'", name.c_str(), name_.c_str(), options.c_str());
        const char *lines = source.c_str();
        const std::size_t size = source.size();
        cl_int status = CL_SUCCESS;
        program = ClProgram(clCreateProgramWithSource(context_.get(), 1, &lines, &size, &status));
        cl_check(status, "creating the program " + name);
        status = clBuildProgram(program.get(), 1, &id_, options.c_str(), nullptr, nullptr);
        if (status != CL_SUCCESS) {
            std::size_t log_size = 0;
            clGetProgramBuildInfo(program.get(), id_, CL_PROGRAM_BUILD_LOG, 0, nullptr, &log_size);
            std::string log(log_size, '\0');
            clGetProgramBuildInfo(program.get(), id_, CL_PROGRAM_BUILD_LOG, log_size, log.data(), nullptr);
            log = log.c_str();
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("%s does not compile for %s: %s", name.c_str(), name_.c_str(),
                     first_error(log, source).c_str()),
                text("%s with options '%s':\n%s", cl_error_name(status), options.c_str(), log.c_str()));
        }
        store_binary(program, id_, path);
    }
    programs_.emplace(path, program);
    return program;
}

// Memory: a budget per device, blocks kept for reuse by size
// ---------------------------------------------------

std::unique_ptr<Block> Device::make_block(std::size_t size) {
    auto block = std::make_unique<Block>();
    cl_int status = CL_SUCCESS;
    block->size = size;
    block->buffer = ClMem(
        clCreateBuffer(context_.get(), CL_MEM_READ_WRITE | (shares_host_memory_ ? CL_MEM_ALLOC_HOST_PTR : 0),
                       size, nullptr, &status));
    if (status == CL_SUCCESS) {
        // Drivers allocate late; a first byte makes them say now that there is no room.
        // clEnqueueMigrateMemObjects is made for this, but crashes NVIDIA's driver 580 when several threads
        // use the context.
        static const char zero = 0;
        cl_event written = nullptr;
        status = clEnqueueWriteBuffer(upload_.get(), block->buffer.get(), CL_FALSE, 0, 1, &zero, 0, nullptr,
                                      &written);
        block->write = {ClEvent(written), upload_};
    }
    if (cl_is_out_of_memory(status))
        return nullptr;
    cl_check(status, text("allocating %zu bytes on %s", size, name_.c_str()));
    return block;
}

std::unique_ptr<Block> Device::take_block(std::size_t size, const AskPatience &ask) {
    must_not_be_forked();
    size = std::max<std::size_t>(size, 1);
    if (size > max_allocation_)
        throw Error(
            GST_RESOURCE_ERROR_NO_SPACE_LEFT,
            text("%zu bytes in one piece are more than %s can allocate (%zu): use smaller images or slabs",
                 size, name_.c_str(), max_allocation_));
    if (size > memory_limit_)
        throw Error(
            GST_RESOURCE_ERROR_NO_SPACE_LEFT,
            text("%zu bytes are more than the %zu bytes that may be used on %s (GST_TOMO_MEMORY_LIMIT)", size,
                 memory_limit_, name_.c_str()));

    constexpr auto patience = std::chrono::seconds(10);
    constexpr auto look_again = std::chrono::milliseconds(50);
    auto deadline = std::chrono::steady_clock::now() + patience;

    std::unique_lock<std::mutex> lock(memory_lock_);
    auto given_before = given_back_;
    while (true) {
        // Exact fits only: streams have one size, so nearly every request finds one after the first frames.
        if (auto fit = free_.find(size); fit != free_.end()) {
            auto block = std::move(fit->second);
            free_.erase(fit);
            free_size_ -= size;
            taken_ += size;
            block->forget_failures();
            return block;
        }
        while (!free_.empty() && taken_ + free_size_ + size > memory_limit_) {
            free_size_ -= free_.begin()->first;
            free_.erase(free_.begin());
        }
        if (taken_ + size <= memory_limit_) {
            taken_ += size;
            const std::size_t allocated = taken_ + free_size_;
            lock.unlock();
            std::unique_ptr<Block> block;
            try {
                block = make_block(size);
                if (!block) {
                    trim();
                    block = make_block(size);
                }
            } catch (...) {
                lock.lock();
                taken_ -= size;
                throw;
            }
            if (block) {
                if (const auto to = is_recording() ? recorder() : nullptr)
                    to->allocated(allocated);
                return block;
            }
            lock.lock();
            taken_ -= size;
        }
        const auto left = ask ? ask() : Patience::limited;
        if (left == Patience::none)
            throw Flushing();
        if (given_back_ != given_before || left == Patience::endless)
            deadline = std::chrono::steady_clock::now() + patience;
        given_before = given_back_;
        if (taken_ == 0 || std::chrono::steady_clock::now() > deadline)
            throw Error(
                GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                text(
                    "out of memory on %s: %zu bytes wanted, %zu of %zu in use and none given back; use fewer "
                    "or smaller queues, or process in parts",
                    name_.c_str(), size, taken_, memory_limit_));
        memory_freed_.wait_for(lock, look_again);
    }
}

void Device::give_block(std::unique_ptr<Block> block) noexcept {
    if (is_forked()) // a thread that is not in this process may hold the lock
        return;
    {
        std::lock_guard<std::mutex> lock(memory_lock_);
        taken_ -= block->size;
        given_back_++;
        free_size_ += block->size;
        const std::size_t size = block->size;
        free_.emplace(size, std::move(block));
    }
    memory_freed_.notify_all();
}

void Device::trim() {
    std::lock_guard<std::mutex> lock(memory_lock_);
    free_.clear();
    free_size_ = 0;
}

std::size_t Device::memory_in_use() const {
    std::lock_guard<std::mutex> lock(memory_lock_);
    return taken_;
}

// Context
// -----------------------------------------------------------------------------------------------------

namespace {

using Devices = std::vector<std::shared_ptr<Device>>;

// All devices of a platform, in a new context.
std::shared_ptr<const Devices> open_platform(const std::vector<Found> &found, const Found &chosen) {
    std::vector<cl_device_id> ids;
    for (const auto &device : found)
        if (device.platform == chosen.platform)
            ids.push_back(device.id);
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                reinterpret_cast<cl_context_properties>(chosen.platform), 0};
    cl_int status = CL_SUCCESS;
    const ClContext context(clCreateContext(properties, ids.size(), ids.data(), nullptr, nullptr, &status));
    cl_check(status, "creating an OpenCL context on " + chosen.platform_name);

    auto devices = std::make_shared<Devices>();
    for (std::size_t i = 0; i < found.size(); i++)
        if (found[i].platform == chosen.platform)
            devices->push_back(std::make_shared<Device>(found[i].id, i, context));
    return devices;
}

} // namespace

void Context::set_devices(const std::shared_ptr<const Devices> &devices) {
    devices_ = devices;
    handle_ = ClContext::retained(devices->front()->context());
    platform_ = cl_query<cl_platform_id>(clGetDeviceInfo, devices->front()->id(), CL_DEVICE_PLATFORM);
    default_device_ = devices->front();
}

std::shared_ptr<Context> Context::create(const std::string &selector) {
    static std::mutex lock;
    static std::map<cl_platform_id, std::weak_ptr<const Devices>> open_platforms;

    const auto found = all_devices();
    const auto chosen = choose(found, selector);
    std::shared_ptr<Context> context(new Context);
    {
        std::lock_guard<std::mutex> guard(lock);
        auto &known = open_platforms[found[chosen].platform];
        auto devices = known.lock();
        if (!devices)
            known = devices = open_platform(found, found[chosen]);
        context->set_devices(devices);
    }
    for (const auto &device : context->devices())
        if (device->index() == chosen)
            context->default_device_ = device;
    GST_INFO("using %s (%s)", context->default_device_->name().c_str(),
             context->default_device_->driver().c_str());
    return context;
}

std::shared_ptr<Context> Context::with_usual_default() const {
    try {
        const auto usual = choose(all_devices(), "");
        for (const auto &device : devices())
            if (device->index() == usual) {
                std::shared_ptr<Context> context(new Context(*this));
                context->default_device_ = device;
                return context;
            }
    } catch (const Error &e) {
        GST_INFO("no usual device: %s", e.what());
    }
    return nullptr;
}

std::shared_ptr<Context> Context::wrap(cl_context raw) {
    std::size_t size = 0;
    cl_check(clGetContextInfo(raw, CL_CONTEXT_DEVICES, 0, nullptr, &size),
             "asking a context for its devices");
    std::vector<cl_device_id> ids(size / sizeof(cl_device_id));
    cl_check(clGetContextInfo(raw, CL_CONTEXT_DEVICES, size, ids.data(), nullptr),
             "asking a context for its devices");
    if (ids.empty())
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND, "the given OpenCL context has no device");

    const auto found = all_devices();
    const auto handle = ClContext::retained(raw);
    auto devices = std::make_shared<Devices>();
    for (cl_device_id id : ids) {
        const auto known =
            std::find_if(found.begin(), found.end(), [&](const auto &f) { return f.id == id; });
        devices->push_back(
            std::make_shared<Device>(id, static_cast<unsigned>(known - found.begin()), handle));
    }
    std::shared_ptr<Context> context(new Context);
    context->set_devices(devices);
    return context;
}

std::shared_ptr<Device> Context::find(const std::string &selector) const {
    for (const auto &device : devices())
        if (matches(selector, device->index(), device->name()))
            return device;
    return nullptr;
}

} // namespace tomo
