/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Two unwinders in one process.
 *
 * An exception is raised by libstdc++, with the unwinder that libstdc++ was bound to when it was loaded; a
 * function that cleans up on the way hands it on by _Unwind_Resume, which its own library was bound to. Both
 * must be of one unwinder, for they read each other's private notes in the exception. Debian's libgstreamer
 * needs libunwind.so.8, which exports the functions of libgcc_s under the same names. Where a Python module
 * (PIL, scipy, matplotlib, ...) has loaded libstdc++ before GStreamer, libstdc++ uses libgcc_s and a library
 * that stands on GStreamer resumes with libunwind: the process ends in SIGABRT or SIGSEGV at the first
 * exception.
 *
 * So all C++ code that stands on gst-tomo is linked with --wrap=_Unwind_Resume and with this function, which
 * hands the exception to the unwinder that libstdc++ was bound to. Each library has a copy of its own: a
 * shared one would be looked up like the original. Nothing else would do. Linking libgcc and libstdc++
 * statically ends exceptions between library and plugin, and loading libraries in another order is not in our
 * hands.
 *
 * Processors and C libraries whose relocations are not known to be read rightly here keep the function that
 * the linker has bound.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

typedef void (*Resume)(struct _Unwind_Exception *);

extern void __real__Unwind_Resume(struct _Unwind_Exception *exception);
void __wrap__Unwind_Resume(struct _Unwind_Exception *exception);

#if defined(__GLIBC__) && defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__))

/* Of libstdc++ and of nobody else; weak, because a program may be without C++. */
extern void __gxx_personality_v0(void) __attribute__((weak));

/* Where the library's `name` was bound to; NULL if it has no relocation for it. */
static void *bound_to(const struct link_map *library, const char *name) {
    const ElfW(Rela) * tables[2] = {NULL, NULL};
    size_t sizes[2] = {0, 0};
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    for (const ElfW(Dyn) *entry = library->l_ld; entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_JMPREL:
            tables[0] = (const void *)entry->d_un.d_ptr;
            break;
        case DT_PLTRELSZ:
            sizes[0] = entry->d_un.d_val;
            break;
        case DT_RELA:
            tables[1] = (const void *)entry->d_un.d_ptr;
            break;
        case DT_RELASZ:
            sizes[1] = entry->d_un.d_val;
            break;
        case DT_SYMTAB:
            symbols = (const void *)entry->d_un.d_ptr;
            break;
        case DT_STRTAB:
            names = (const void *)entry->d_un.d_ptr;
            break;
        default:
            break;
        }
    }
    for (int table = 0; symbols && names && table < 2; table++)
        for (size_t i = 0; tables[table] && i < sizes[table] / sizeof(ElfW(Rela)); i++) {
            const ElfW(Rela) *relocation = &tables[table][i];
            if (strcmp(names + symbols[ELF64_R_SYM(relocation->r_info)].st_name, name) == 0)
                return *(void **)(library->l_addr + relocation->r_offset);
        }
    return NULL;
}

static struct link_map *library_of(const void *address) {
    Dl_info info;
    struct link_map *library = NULL;
    return address && dladdr1(address, &info, (void **)&library, RTLD_DL_LINKMAP) ? library : NULL;
}

static Resume find_resume(void) {
    const struct link_map *runtime = library_of((const void *)__gxx_personality_v0);
    /* It has been called, as there is an exception; so it is bound by now, even if that is done at the first
     * call. */
    const struct link_map *unwinder =
        runtime ? library_of(bound_to(runtime, "_Unwind_RaiseException")) : NULL;
    if (!unwinder || unwinder == runtime)
        return NULL;
    void *handle = dlopen(unwinder->l_name, RTLD_NOW | RTLD_NOLOAD);
    void *resume = handle ? dlsym(handle, "_Unwind_Resume") : NULL;
    if (handle)
        dlclose(handle); /* libstdc++ keeps it */
    return (Resume)resume;
}

#else

static Resume find_resume(void) { return NULL; }

#endif

/* Compiled with -fexceptions: the unwinder has to find its way through this function. */
void __wrap__Unwind_Resume(struct _Unwind_Exception *exception) {
    static Resume known;
    Resume resume = __atomic_load_n(&known, __ATOMIC_ACQUIRE);
    if (!resume) {
        resume = find_resume();
        if (!resume)
            resume = __real__Unwind_Resume;
        __atomic_store_n(&known, resume, __ATOMIC_RELEASE);
    }
    resume(exception);
    abort(); /* not reached, and no tail call */
}
