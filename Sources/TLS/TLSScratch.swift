public import Base
import COpenSSL
import Glibc

/// The octets that sessions of one worker thread exchange with the network, one session at a time.
///
/// The owner receives into `incoming`, calls a session, and sends `outgoing` afterwards. What the session
/// leaves in either belongs to its connection and must be moved out before another session is called.
public final class TLSScratch {
  /// Encrypted octets from the peer.
  public let incoming: ByteBuffer
  /// Encrypted octets for the peer; it grows for what a call produces, `outgoingBound` and one record at most.
  public let outgoing: ByteBuffer

  /// The time of the handshake, in seconds since 1970: what has run out by then is not shown. 0 when nobody says.
  public var now: Int64 = 0

  /// `TLSSession.write` accepts nothing more while so many octets wait in `outgoing`.
  public static let outgoingBound = 128 * 1024

  public init(capacity: Int = 65536) {
    incoming = ByteBuffer(capacity: capacity)
    outgoing = ByteBuffer(capacity: capacity)
  }
}

/// An OpenSSL BIO that reads and writes the scratch of the current call.
enum ScratchBIO {
  /// The method table; made once and never freed. Nil only when memory is gone.
  private static let method: MethodTable = MethodTable()

  private struct MethodTable: @unchecked Sendable {
    let pointer: OpaquePointer?

    init() {
      let kind = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
      pointer = BIO_meth_new(kind, "gatehouse scratch")
      guard let pointer else { return }
      BIO_meth_set_read(pointer, ScratchBIO.read)
      BIO_meth_set_write(pointer, ScratchBIO.write)
      BIO_meth_set_ctrl(pointer, ScratchBIO.control)
    }
  }

  static func make() -> OpaquePointer? {
    guard let bio = BIO_new(method.pointer) else { return nil }
    BIO_set_init(bio, 1)
    return bio
  }

  private static let read: @convention(c) (OpaquePointer?, UnsafeMutablePointer<CChar>?, Int32) -> Int32 = {
    bio, to, length in
    gh_bio_clear_retry(bio)
    guard let data = BIO_get_data(bio), let to, length > 0 else { return -1 }
    let incoming = Unmanaged<TLSScratch>.fromOpaque(data).takeUnretainedValue().incoming
    let waiting = incoming.readableBytes
    let n = Swift.min(waiting.count, Int(length))
    guard n > 0, let from = waiting.baseAddress else {
      gh_bio_retry_read(bio)
      return -1
    }
    memcpy(to, from, n)
    incoming.consume(n)
    return Int32(n)
  }

  private static let write: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int32) -> Int32 = {
    bio, from, length in
    gh_bio_clear_retry(bio)
    guard let data = BIO_get_data(bio), let from, length > 0 else { return 0 }
    let outgoing = Unmanaged<TLSScratch>.fromOpaque(data).takeUnretainedValue().outgoing
    outgoing.appendGrowing(UnsafeRawBufferPointer(start: from, count: Int(length)))
    return length
  }

  private static let control: @convention(c) (OpaquePointer?, Int32, Int, UnsafeMutableRawPointer?) -> Int = {
    _, command, _, _ in
    command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0
  }
}
