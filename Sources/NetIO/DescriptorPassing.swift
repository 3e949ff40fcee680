internal import CLinux
import Glibc

extension Socket {
  /// Two connected unix sockets, close-on-exec; `keepsMessages` keeps the bounds of what is sent (SOCK_SEQPACKET).
  public static func pair(keepsMessages: Bool = false) -> (Int32, Int32)? {
    var ends: [Int32] = [0, 0]
    let kind = Int32(keepsMessages ? SOCK_SEQPACKET.rawValue : SOCK_STREAM.rawValue)
    guard socketpair(AF_UNIX, kind | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else { return nil }
    return (ends[0], ends[1])
  }

  /// Whether another program that this one starts has the descriptor too.
  public static func setInherited(_ fd: Int32, _ isInherited: Bool) { _ = gh_set_cloexec(fd, isInherited ? 0 : 1) }

  public static func setNonBlocking(_ fd: Int32) { _ = gh_set_nonblocking(fd) }

  /// Sends `octets` (at least one) with a descriptor over a unix socket; the descriptor stays open here.
  public static func send(_ fd: Int32, _ octets: [UInt8], passing descriptor: Int32) -> Bool {
    var octets = octets
    var descriptor = descriptor
    let room = gh_cmsg_space(MemoryLayout<Int32>.size)
    return withUnsafeTemporaryAllocation(byteCount: room, alignment: 8) { control in
      octets.withUnsafeMutableBytes { data in
        var vector = iovec(iov_base: data.baseAddress, iov_len: data.count)
        return withUnsafeMutablePointer(to: &vector) { vector in
          var message = msghdr()
          message.msg_iov = vector
          message.msg_iovlen = 1
          message.msg_control = control.baseAddress
          message.msg_controllen = room
          guard let header = gh_cmsg_first(&message) else { return false }
          header.pointee.cmsg_level = SOL_SOCKET
          header.pointee.cmsg_type = Int32(SCM_RIGHTS)
          header.pointee.cmsg_len = gh_cmsg_len(MemoryLayout<Int32>.size)
          memcpy(gh_cmsg_data(header), &descriptor, MemoryLayout<Int32>.size)
          return sendmsg(fd, &message, Int32(MSG_NOSIGNAL)) >= 0
        }
      }
    }
  }

  /// One message of at most `room.count` octets; the descriptor that came with it is the caller's to close.
  public static func receive(
    _ fd: Int32, into room: UnsafeMutableRawBufferPointer, passed: inout Int32?
  ) -> IOResult {
    passed = nil
    let space = gh_cmsg_space(MemoryLayout<Int32>.size)
    return withUnsafeTemporaryAllocation(byteCount: space, alignment: 8) { control in
      var vector = iovec(iov_base: room.baseAddress, iov_len: room.count)
      return withUnsafeMutablePointer(to: &vector) { vector in
        var message = msghdr()
        message.msg_iov = vector
        message.msg_iovlen = 1
        message.msg_control = control.baseAddress
        message.msg_controllen = space
        let n = recvmsg(fd, &message, 0x4000_0000 /* MSG_CMSG_CLOEXEC */)
        if n < 0 { return errno == EAGAIN || errno == EINTR ? .wouldBlock : .failed(errno) }
        if let header = gh_cmsg_first(&message), header.pointee.cmsg_type == Int32(SCM_RIGHTS),
          header.pointee.cmsg_len >= gh_cmsg_len(MemoryLayout<Int32>.size)
        {
          var descriptor: Int32 = -1
          memcpy(&descriptor, gh_cmsg_data(header), MemoryLayout<Int32>.size)
          passed = descriptor
        }
        return n == 0 ? .endOfStream : .bytes(n)
      }
    }
  }
}

/// Signals as events of a descriptor (signalfd). They must be blocked in every thread.
public struct SignalDescriptor {
  public let descriptor: Int32

  public init?(_ numbers: [Int32]) {
    var set = sigset_t()
    sigemptyset(&set)
    for number in numbers { sigaddset(&set, number) }
    descriptor = signalfd(-1, &set, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))
    if descriptor < 0 { return nil }
  }

  /// The next signal that has come, if any.
  public func next() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(descriptor, &info, size) == size ? Int32(info.ssi_signo) : nil
  }
}
