import Base
import Config
import Glibc
import HTTP
import NetIO
import Rules
import Synchronization

/// What `server` and `source` lines want of the sockets to servers, before they connect.
struct ServerSocket {
  let server: Server
  /// The server's own `source`, or its backend's.
  let source: SourceSettings?

  /// `tune.rcvbuf.server` and its like.
  private let sizes: SocketSizes

  init(_ server: Server, _ backend: Backend?, _ sizes: SocketSizes = SocketSizes()) {
    self.server = server
    self.sizes = sizes
    source = server.settings.source ?? backend?.settings.source
  }

  /// Prepares `fd` for a connection to `peer`; `foreign` is the address that it shall seem to come from. An errno when
  /// that is not possible.
  func prepare(_ fd: Int32, to peer: SocketAddress, foreign: SocketAddress = .none) -> Int32? {
    guard case .ip = peer else { return nil }
    Socket.setSizes(fd, receive: sizes.receive, send: sizes.send, unsent: sizes.unsent)
    let settings = server.settings
    if let time = settings.tcpUserTimeout { Socket.setUserTimeout(fd, milliseconds: time.milliseconds) }
    if settings.tcpFastOpen { Socket.setFastOpenConnect(fd) }
    if let algorithm = settings.congestionControl { Socket.setCongestionControl(fd, algorithm.text) }
    if let password = settings.segmentPassword,
      !Socket.setSignature(fd, password, peer: peer, isListening: false)
    {
      return errno
    }
    guard let source else { return nil }
    if let interface = source.interface, !Socket.bindToDevice(fd, interface) { return errno }
    if foreign != .none {
      guard Socket.setTransparent(fd, foreign) else { return errno }
      return bind(fd, foreign, source)
    }
    guard source.address != .none else { return nil }
    return bind(fd, source.address, source)
  }

  private func bind(_ fd: Int32, _ address: SocketAddress, _ source: SourceSettings) -> Int32? {
    Socket.set(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    guard case .ip(let ip, let port) = address else { return EINVAL }
    if address == source.address, let ports = source.ports, ports.count > 1 { return bind(fd, ip, ports) }
    if port == 0 { Socket.bindAddressOnly(fd) }
    return address.withSockaddr { Glibc.bind(fd, $0, $1) } == 0 ? nil : errno
  }

  /// Each connection takes the next port of the range that is free.
  private func bind(_ fd: Int32, _ ip: IPAddress, _ ports: ClosedRange<UInt16>) -> Int32? {
    for _ in 0..<ports.count {
      let turn = server.sourceTurn.add(1, ordering: .relaxed).newValue
      let port = UInt16(truncatingIfNeeded: Int(ports.lowerBound) + Int(turn % UInt64(ports.count)))
      if SocketAddress.ip(ip, port: port).withSockaddr({ Glibc.bind(fd, $0, $1) }) == 0 { return nil }
      if errno != EADDRINUSE { return errno }
    }
    return EADDRINUSE
  }

  /// `usesrc`: the address that a stream's connection shall seem to come from.
  func foreignAddress(for stream: Stream) -> SocketAddress {
    guard let foreign = source?.foreign else { return .none }
    switch foreign {
    case .address(let address): return address
    case .client:
      if case .ip = stream.context.source { return stream.context.source }
      return .none
    case .clientAddress: return stream.context.source.ip.map { .ip($0, port: 0) } ?? .none
    case .header(let name, let occurrence):
      return ServerSocket.address(in: stream.request, name, occurrence).map { .ip($0, port: 0) } ?? .none
    }
  }

  /// The address in the given occurrence of a field whose values stand between commas.
  static func address(in head: MessageHead, _ name: Bytes, _ occurrence: Int) -> IPAddress? {
    let field = FieldName(name)
    var values: [Substring] = []
    var lines: [String] = []
    for index in 0..<head.count where head.isField(at: index, named: field) {
      lines.append(head.value(at: index).string)
    }
    for line in lines { values += line.split(separator: ",", omittingEmptySubsequences: false) }
    let index = occurrence > 0 ? occurrence - 1 : values.count + occurrence
    guard values.indices.contains(index) else { return nil }
    return IPAddress(String(values[index].drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }))
  }
}
