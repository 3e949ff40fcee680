import Base

extension ProcessReport {
  /// `Name: HAProxy`
  func appendPlain(describes: Bool, to out: inout [UInt8]) {
    for item in items {
      out.append(literal: item.name)
      out.append(literal: ": ")
      StatText.append(item.value, to: &out)
      if describes { ProcessReport.describe(item, &out) }
      out.append(ASCII.lf)
    }
  }

  /// `0.Name.1:POSV:str:HAProxy`
  func appendTyped(describes: Bool, to out: inout [UInt8]) {
    for item in items {
      out.append(decimal: item.position)
      out.append(0x2E)
      out.append(literal: item.name)
      out.append(literal: ".1:")
      out.append(literal: item.tags)
      out.append(ASCII.colon)
      StatText.appendTyped(item.value, to: &out)
      if describes { ProcessReport.describe(item, &out) }
      out.append(ASCII.lf)
    }
  }

  func appendJSON(to out: inout [UInt8]) {
    out.append(literal: "[")
    for (index, item) in items.enumerated() {
      if index > 0 { out.append(literal: ",") }
      StatText.appendJSON(
        head: [], position: item.position, name: item.name, tags: item.tags, item.value, to: &out)
    }
    out.append(literal: "]\n")
  }

  private static func describe(_ item: Item, _ out: inout [UInt8]) {
    out.append(literal: ":\"")
    out.append(literal: item.name)
    out.append(0x22)
  }
}
