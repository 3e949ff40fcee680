import Base
import Config
import NetIO

extension Commands {
  /// The descriptors that event loops watch.
  static let descriptors: [Command] = [
    Command(
      "show fd", "[-!lcfbs]* [num]", level: .restricted, "dump list of file descriptors in use or a specific one"
    ) { call in
      var selection = DescriptorSelection()
      if let problem = selection.read(call.arguments) { return .error(problem) }
      return .gathered(
        call.gateway, [(Int32, String)](),
        { [selection] worker, step, lines in
          let batch = 500
          return worker.loop.watched(step * batch..<(step + 1) * batch) { descriptor, handler in
            let kind = WatchedDescriptor(descriptor, handler)
            if selection.contains(kind) { lines.append((descriptor, kind.line(worker))) }
          }
        }, render: { lines in lines.sorted { $0.0 < $1.0 }.map(\.1).joined() })
    }
  ]
}

/// Which descriptors `show fd` lists: letters for kinds, and a number for one alone.
struct DescriptorSelection {
  private var kinds: Set<WatchedDescriptor.Kind> = []
  private var number: Int32?

  /// Says what is wrong with `arguments`, nil for nothing.
  mutating func read(_ arguments: ArraySlice<String>) -> String? {
    let all = Set(WatchedDescriptor.Kind.allCases)
    if let first = arguments.first?.utf8.first, first == UInt8(ascii: "!") || first == UInt8(ascii: "-") { kinds = all }
    for argument in arguments {
      if let value = Int32(argument), value >= 0 {
        number = value
        break
      }
      var excludes = false
      for letter in argument {
        var meant: Set<WatchedDescriptor.Kind> = []
        switch letter {
        case "!", "-": excludes.toggle()
        case "l": meant = [.listener]
        case "c": meant = [.client, .server]
        case "f": meant = [.client]
        case "b", "s": meant = [.server]
        default: return "Invalid FD type"
        }
        if excludes { kinds.subtract(meant) } else { kinds.formUnion(meant) }
      }
    }
    if kinds.isEmpty { kinds = all }
    return nil
  }

  func contains(_ watched: WatchedDescriptor) -> Bool {
    kinds.contains(watched.kind) && (number == nil || number == watched.descriptor)
  }
}

/// One descriptor and whoever it belongs to; made and read on the thread of its worker.
struct WatchedDescriptor {
  enum Kind: CaseIterable { case listener, client, server, other }

  let descriptor: Int32
  let kind: Kind
  private let owner: AnyObject
  /// What the line says of the owner.
  private let facts: String

  init(_ descriptor: Int32, _ handler: any EventHandler) {
    self.descriptor = descriptor
    let owner: AnyObject = (handler as? Transport)?.owner ?? handler
    self.owner = owner
    switch owner {
    case let acceptor as Acceptor:
      (kind, facts) = (.listener, " l.st=RDY fe=\(acceptor.frontend.name)")
    case let connection as ClientConnection: (kind, facts) = (.client, " fe=\(connection.frontend.name)")
    case let session as H1ClientSession:
      (kind, facts) = (.client, " fe=\(session.connection.frontend.name) mux=H1")
    case let session as H2ClientSession:
      (kind, facts) = (.client, " fe=\(session.connection.frontend.name) mux=H2")
    case let session as TCPClientSession:
      (kind, facts) = (.client, " fe=\(session.connection.frontend.name) mux=PASS")
    case let connection as ServerConnection:
      (kind, facts) = (.server, " sv=\(connection.server.name)")
    case let session as H2ServerSession: (kind, facts) = (.server, " sv=\(session.server.name) mux=H2")
    case is AdminConnection, is AdminListener: (kind, facts) = (.other, " fe=GLOBAL")
    default: (kind, facts) = (.other, "")
    }
  }

  /// The state is what the loop asked the kernel for: listeners are read, the rest is read and written. What is
  /// ready now is known to the owner alone.
  func line(_ worker: Worker) -> String {
    let listens =
      owner is Acceptor || owner is AdminListener || owner is PeerListener || owner is LogForwarder.Listener
    let state = listens ? "0x000001(cl heopi W:sra R:srA)" : "0x000011(cl heopi W:srA R:srA)"
    let pointer = String(UInt(bitPattern: ObjectIdentifier(owner)), radix: 16)
    let mask = String(UInt64(1) << UInt64(Swift.min(worker.index, 63)), radix: 16)
    var line = "\(Commands.pad(Int(descriptor), 7)) : st=\(state) tmask=0x\(mask) owner=0x\(pointer) "
    line += "iocb=\(type(of: owner))\(kind == .server ? " back=1" : kind == .client ? " back=0" : "")\(facts)"
    switch Socket.localAddress(descriptor) {
    case .ip(.v4, let port): line += " fam=ipv4 lport=\(port)"
    case .ip(.v6, let port): line += " fam=ipv6 lport=\(port)"
    case .unix: line += " fam=unix"
    case .none: break
    }
    if kind == .client || kind == .server, case .ip(_, let port) = Socket.peerAddress(descriptor) {
      line += " rport=\(port)"
    }
    return line + "\n"
  }
}
