#ifndef GATEHOUSE_CLINUX_H
#define GATEHOUSE_CLINUX_H

#include <malloc.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* epoll_event's data union is packed on x86-64, which Swift cannot address field by field. */
/* The C library does not show this one to Swift. */
static inline void gh_malloc_trim(void) { malloc_trim(0); }
static inline struct mallinfo2 gh_mallinfo(void) { return mallinfo2(); }

static inline uint64_t gh_epoll_data(const struct epoll_event *e) { return e->data.u64; }
static inline int gh_epoll_add(int ep, int fd, uint32_t events, uint64_t data) {
  struct epoll_event e = {.events = events, .data = {.u64 = data}};
  return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}
static inline int gh_epoll_mod(int ep, int fd, uint32_t events, uint64_t data) {
  struct epoll_event e = {.events = events, .data = {.u64 = data}};
  return epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e);
}
static inline int gh_epoll_del(int ep, int fd) { return epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL); }

/* Variadic or macro-only in glibc. */
static inline int gh_set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL, 0);
  return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}
static inline int gh_set_cloexec(int fd, int on) { return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0); }
static inline int gh_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
/* Declared only under _GNU_SOURCE, which a module header may not set. */
extern int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
extern int pipe2(int fds[2], int flags);
extern ssize_t splice(int in, long long *inoff, int out, long long *outoff, size_t len, unsigned int flags);
static inline int gh_set_pipe_size(int fd, int size) { return fcntl(fd, 1031 /* F_SETPIPE_SZ */, size); }
#define GH_SPLICE_F_MOVE 1
#define GH_SPLICE_F_NONBLOCK 2
#define GH_SPLICE_F_MORE 4

/* How many processors this process may run on; its mask type is hidden without _GNU_SOURCE. */
extern long syscall(long number, ...);
static inline int gh_processor_count(void) {
  unsigned long mask[64] = {0};
  long n = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  int count = 0;
  for (long i = 0; i < n / (long)sizeof mask[0]; i++) count += __builtin_popcountl(mask[i]);
  return count > 0 ? count : 1;
}

/* capget(2) and capset(2), version 3: two words of each set. */
struct gh_capability_header { uint32_t version; int process; };
struct gh_capability_words { uint32_t effective, permitted, inheritable; };
static inline int gh_keep_capabilities(void) { return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0); }
static inline long gh_set_capabilities(uint64_t mask) {
  struct gh_capability_header header = {0x20080522, 0};
  uint32_t low = (uint32_t)mask, high = (uint32_t)(mask >> 32);
  struct gh_capability_words words[2] = {{low, low, 0}, {high, high, 0}};
  return syscall(SYS_capset, &header, words);
}
static inline uint64_t gh_effective_capabilities(void) {
  struct gh_capability_header header = {0x20080522, 0};
  struct gh_capability_words words[2] = {{0, 0, 0}, {0, 0, 0}};
  if (syscall(SYS_capget, &header, words) != 0) return 0;
  return (uint64_t)words[1].effective << 32 | words[0].effective;
}

/* Which addresses the program and its libraries take; the C library's declaration needs _GNU_SOURCE. */
struct dl_phdr_info;
extern int dl_iterate_phdr(int (*each)(struct dl_phdr_info *, size_t, void *), void *data);
struct gh_loaded_object { const char *name; uintptr_t start, end; };
struct gh_loaded_objects { struct gh_loaded_object *objects; int room, count; };
/* What dl_phdr_info begins with. */
struct gh_object_headers { uintptr_t base; const char *name; const Elf64_Phdr *headers; Elf64_Half count; };
static inline int gh_note_loaded_object(struct dl_phdr_info *info, size_t size, void *data) {
  const struct gh_object_headers *from = (const struct gh_object_headers *)info;
  struct gh_loaded_objects *list = (struct gh_loaded_objects *)data;
  if (size < sizeof *from || list->count >= list->room) return 0;
  struct gh_loaded_object found = {from->name, UINTPTR_MAX, 0};
  for (Elf64_Half i = 0; i < from->count; i++) {
    const Elf64_Phdr *header = &from->headers[i];
    if (header->p_type != PT_LOAD) continue;
    uintptr_t start = from->base + header->p_vaddr, end = start + header->p_memsz;
    if (start < found.start) found.start = start;
    if (end > found.end) found.end = end;
  }
  if (found.end > found.start) list->objects[list->count++] = found;
  return 0;
}
static inline int gh_loaded_objects(struct gh_loaded_object *objects, int room) {
  struct gh_loaded_objects list = {objects, room, 0};
  dl_iterate_phdr(gh_note_loaded_object, &list);
  return list.count;
}

/* A descriptor that becomes readable when the process ends. */
static inline int gh_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

static inline struct cmsghdr *gh_cmsg_first(struct msghdr *m) { return CMSG_FIRSTHDR(m); }
static inline unsigned char *gh_cmsg_data(struct cmsghdr *c) { return CMSG_DATA(c); }
static inline size_t gh_cmsg_space(size_t n) { return CMSG_SPACE(n); }
static inline size_t gh_cmsg_len(size_t n) { return CMSG_LEN(n); }

#endif
