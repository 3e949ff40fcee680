import Base

/// The value of `-S`: an address and options of `bind` lines, with commas between (management.txt chapter 9.4).
public enum MasterSocketLine {
  public enum Outcome {
    case bind(BindSettings)
    case problem(String)
  }

  public static func parse(_ text: String) -> Outcome {
    let location = SourceLocation(file: "-S", line: 1)
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let words = ["-S", parts[0], "level", "admin"] + parts.dropFirst()
    var arguments = Arguments(
      Directive(words: words.map { Word(Bytes($0), at: location) }, location: location))
    let context = LoadContext(io: ConfigurationIO.system(), environment: [:])
    do throws(Refusal) {
      return .bind(try BindLine.parse(&arguments, context, isStatsSocket: true))
    } catch {
      return .problem(error.diagnostic.message)
    }
  }
}
