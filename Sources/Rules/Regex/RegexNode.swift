/// The parsed form of a regular expression.
indirect enum RegexNode: Sendable {
  case empty
  case set(ByteSet)
  case sequence([RegexNode])
  case alternatives([RegexNode])
  /// nil for `maximum` means without end.
  case repetition(RegexNode, minimum: Int, maximum: Int?, isGreedy: Bool)
  case group(RegexNode, index: Int)
  case assertion(RegexAssertion)
}

enum RegexAssertion: Sendable {
  /// The start of the text (of a line in multi-line mode).
  case start, lineStart
  /// The end, or before a line feed that ends the text; the very end; the end of a line.
  case end, absoluteEnd, lineEnd
  case wordBoundary, noWordBoundary
}
