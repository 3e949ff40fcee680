import Base

/// Messages of FIX (Financial Information eXchange: `tag=value` pairs that each end with SOH) and of MQTT.
enum MessageConverters {
  static let table: [ConverterEntry] = [
    ConverterEntry("fix_is_valid", .none, .binary, .bool) { sample, _, context in
      // The message says by itself whether it is whole.
      context.mayChange = false
      switch FIXMessage.validate(sample.octets) {
      case .valid: return .bool(true)
      case .invalid: return .bool(false)
      case .incomplete:
        if !context.evaluationIsFinal { context.mayChange = true }
        return nil
      }
    },
    ConverterEntry("fix_tag_value", .required(.string), .binary, .binary, check: checkTag) {
      sample, a, context in
      guard let tag = a.int(0) else { return nil }
      context.mayChange = false
      switch FIXMessage.value(of: Int(tag), in: sample.octets) {
      case .found(let value): return .binary(value)
      case .absent: return nil
      case .incomplete:
        if !context.evaluationIsFinal { context.mayChange = true }
        return nil
      }
    },
    ConverterEntry("mqtt_is_valid", .none, .binary, .bool) { sample, _, context in
      context.mayChange = false
      switch MQTTPacket.parse(sample.octets) {
      case .packet: return .bool(true)
      case .invalid: return .bool(false)
      case .incomplete:
        if !context.evaluationIsFinal { context.mayChange = true }
        return nil
      }
    },
    ConverterEntry(
      "mqtt_field_value", .required(.string, .string), .binary, .string, check: checkPacketField
    ) { sample, a, context in
      guard let kind = a.int(0), let name = a.string(1) else { return nil }
      context.mayChange = false
      switch MQTTPacket.parse(sample.octets) {
      case .packet(let packet):
        return packet.kind.rawValue == Int(kind) ? packet.fields[name.string].map(Sample.binary) : nil
      case .invalid: return nil
      case .incomplete:
        if !context.evaluationIsFinal { context.mayChange = true }
        return nil
      }
    },
  ]

  private static let kinds: [String: MQTTPacket.Kind] = [
    "connect": .connect, "1": .connect, "connack": .connack, "2": .connack,
  ]

  @Sendable
  private static func checkPacketField(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let type = (arguments.string(0) ?? .empty).lowercased.string
    guard let kind = kinds[type] else {
      throw RuleError(
        "unsupported MQTT packet type '\(type)'", suggestion: Suggestions.nearest(type, kinds.keys),
        expected: "connect (1) or connack (2)")
    }
    let field = (arguments.string(1) ?? .empty).lowercased.string
    let names = kind == .connect ? MQTTPacket.connectFields : MQTTPacket.connackFields
    let properties =
      kind == .connect
      ? MQTTPacket.connectProperties.union(MQTTPacket.willProperties) : MQTTPacket.connackProperties
    let isProperty = Int(field).map { properties.contains($0) && $0 != 38 } ?? false
    guard names.contains(field) || isProperty else {
      throw RuleError(
        "unsupported property or field '\(field)' for this MQTT packet type",
        suggestion: Suggestions.nearest(field, names), expected: names.sorted().joined(separator: ", "))
    }
    arguments.list = [.int(Int64(kind.rawValue)), .string(Bytes(field))]
  }

  private static let names: [String: Int64] = [
    "BeginString": 8, "BodyLength": 9, "MsgType": 35, "SenderCompID": 49, "TargetCompID": 56, "CheckSum": 10,
  ]

  @Sendable
  private static func checkTag(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let text = (arguments.string(0) ?? .empty).string
    guard let tag = names[text] ?? Int64(text), tag > 0, tag < 1 << 31 else {
      throw RuleError(
        "unknown FIX tag '\(text)'", suggestion: Suggestions.nearest(text, names.keys),
        expected: "a number or one of \(names.keys.sorted().joined(separator: ", "))")
    }
    arguments.list = [.int(tag)]
  }
}

struct FIXMessage {
  enum Verdict { case valid, invalid, incomplete }
  enum Search {
    case found(Bytes)
    case absent
    case incomplete
  }

  private static let end: UInt8 = 1
  /// BeginString, BodyLength and CheckSum at their shortest.
  private static let shortest = 27
  private static let versions: [Bytes] = ["FIX.4.0", "FIX.4.1", "FIX.4.2", "FIX.4.3", "FIX.4.4", "FIXT.1.1"]

  private struct Pair {
    var tag: Int
    var value: Bytes
    /// Where the next pair begins.
    var next: Int
  }

  private enum Step {
    case pair(Pair)
    case invalid
    case incomplete
  }

  private static func pair(_ message: Bytes, at start: Int) -> Step {
    guard let equals = message.firstIndex(of: 0x3D, from: start),
      let end = message.firstIndex(of: end, from: equals)
    else { return .incomplete }
    let value = message[(equals + 1)..<end]
    let digits = message[start..<equals]
    guard !digits.isEmpty, digits.count < 9, !value.isEmpty, digits[0] != 0x30,
      let tag = Numbers.integer(digits), tag > 0
    else { return .invalid }
    return .pair(Pair(tag: Int(tag), value: value, next: end + 1))
  }

  static func value(of tag: Int, in message: Bytes) -> Search {
    var at = 0
    while at < message.count {
      switch pair(message, at: at) {
      case .incomplete: return .incomplete
      case .invalid: return .absent
      case .pair(let found):
        if found.tag == tag { return .found(found.value) }
        if found.tag == 10 { return .absent }
        at = found.next
      }
    }
    return .incomplete
  }

  /// The first three tags are fixed, the length and the checksum count up to the last.
  static func validate(_ message: Bytes) -> Verdict {
    guard message.count >= shortest else { return .incomplete }
    var at = 0
    var number = 0
    var sum: UInt8 = 0
    var bodyStart = 0
    var bodyLength: Int64 = 0
    while at < message.count {
      guard case .pair(let found) = pair(message, at: at) else {
        if case .invalid = pair(message, at: at) { return .invalid }
        return .incomplete
      }
      number += 1
      switch number {
      case 1: if found.tag != 8 || !versions.contains(found.value) { return .invalid }
      case 2:
        guard found.tag == 9, let length = Numbers.integer(found.value), length > 0 else { return .invalid }
        bodyLength = length
        bodyStart = found.next
      case 3: if found.tag != 35 { return .invalid }
      default:
        if found.tag == 10 {
          let isRight =
            Int64(at - bodyStart) == bodyLength && found.value.count == 3
            && Numbers.integer(found.value) == Int64(sum)
          return isRight ? .valid : .invalid
        }
      }
      for i in at..<found.next { sum = sum &+ message[i] }
      at = found.next
    }
    return .incomplete
  }
}
