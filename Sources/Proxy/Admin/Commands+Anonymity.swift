import Base
import Config
import Synchronization

/// Replaces names in the output of commands by what cannot be traced back, equal names by the same.
struct Anonymizer {
  /// 0 leaves names as they are.
  var key: UInt32 = 0

  /// Six hexadecimal digits, few enough that many names have the same.
  func callAsFunction(_ name: String) -> String {
    key == 0 || name.isEmpty ? name : Commands.hex(UInt(XXHash.hash32(Bytes(name), seed: key) & 0xFF_FFFF), 6)
  }
}

extension Commands {
  /// `set anon`: a session's output without the names of proxies and servers (management.txt chapter 9.3).
  static let anonymity: [Command] = [
    Command("show anon", "", "display the current state of anonymized mode") { call in
      let key = call.session.anonymizer.key
      guard key != 0 else { return .info("Anonymized mode disabled") }
      return .info("Anonymized mode enabled" + (call.session.level >= .operator ? "\nKey : \(key)" : ""))
    },
    Command("set anon on", "[value]", "activate the anonymized mode") { call in
      guard call.argument(0).isEmpty else {
        guard let key = UInt32(call.argument(0)), key > 0 else {
          return .error("Value out of range (1 to 4294967295 expected).")
        }
        call.session.anonymizer.key = key
        return .done
      }
      let global = call.gateway.anonymousKey.load(ordering: .relaxed)
      call.session.anonymizer.key = global != 0 ? global : UInt32.random(in: 1...UInt32.max)
      return .done
    },
    Command("set anon off", "", "deactivate the anonymized mode") { call in
      guard call.arguments.isEmpty else { return .error("Key can't be added while disabling anonymized mode") }
      call.session.anonymizer.key = 0
      return .done
    },
    Command("set anon global-key", "<value>", level: .admin, "change the global anonymizing key") { call in
      guard !call.argument(0).isEmpty else { return .error("Expects an integer value.") }
      guard let key = UInt32(call.argument(0)) else {
        return .error("Value out of range (0 to 4294967295 expected).")
      }
      call.gateway.anonymousKey.store(key, ordering: .relaxed)
      return .done
    },
  ]
}
