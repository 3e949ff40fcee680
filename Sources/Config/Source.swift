public import Base

/// A place in a configuration file. Lines and columns count from 1; column 0 means the whole line.
public struct SourceLocation: Hashable, Sendable {
  public var file: String
  public var line: Int
  public var column: Int
  /// How many characters of the line the place covers; 0 when unknown.
  public var length: Int

  public init(file: String, line: Int, column: Int = 0, length: Int = 0) {
    self.file = file
    self.line = line
    self.column = column
    self.length = length
  }

  /// For what has no place in a file: the command line and built-in defaults.
  public static let none = SourceLocation(file: "", line: 0)
}

/// One argument of a configuration line after quotes, escapes and variables were resolved.
public struct Word: Sendable {
  public var bytes: Bytes
  public var text: String
  public var location: SourceLocation

  public init(_ bytes: Bytes, at location: SourceLocation) {
    self.bytes = bytes
    text = bytes.string
    self.location = location
  }

  public init(_ text: String, at location: SourceLocation = .none) {
    self.init(Bytes(text), at: location)
  }
}

/// One line of a section: a keyword and its arguments, as words.
///
/// Lines whose meaning belongs to a higher layer (rules, ACLs, log formats) travel in this form
/// from `Config` to `Rules`.
public struct Directive: Sendable {
  public var words: [Word]
  public var location: SourceLocation

  public init(words: [Word], location: SourceLocation) {
    self.words = words
    self.location = location
  }

  public var keyword: String { words.first?.text ?? "" }
  public var arguments: ArraySlice<Word> { words.dropFirst() }
}
