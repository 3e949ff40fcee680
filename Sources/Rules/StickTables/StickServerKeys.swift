public import Base
import Synchronization

/// Names and addresses of servers that tables keep, each as a number: entries then need four octets for one. There
/// are as many as there are servers, and they stay.
public enum StickServerKeys {
  private struct Names {
    var texts: [Bytes] = [.empty]
    var numbers: [Bytes: UInt32] = [:]
  }
  private static let names = Mutex(Names())
  /// What peers may make this process remember.
  private static let bound = 65_536

  /// The number of a text, from 1; 0 stands for none, and for what is too much.
  public static func number(of text: Bytes) -> UInt32 {
    if text.isEmpty { return 0 }
    return names.withLock { names in
      if let number = names.numbers[text] { return number }
      guard names.texts.count < bound else { return 0 }
      let kept = Bytes(copying: text.span)
      let number = UInt32(names.texts.count)
      names.texts.append(kept)
      names.numbers[kept] = number
      return number
    }
  }

  public static func text(_ number: Int64) -> Bytes? {
    if number == 0 { return nil }
    return names.withLock { $0.texts.indices.contains(Int(number)) ? $0.texts[Int(number)] : nil }
  }
}
