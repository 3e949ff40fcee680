public import Base

typealias FetchBody = @Sendable (RuleContext, Arguments) -> Sample?
/// Calls the closure for each occurrence until it answers true; says whether it did.
typealias FetchEach = @Sendable (RuleContext, Arguments, (Sample) -> Bool) -> Bool
typealias ConverterBody = @Sendable (Sample, Arguments, RuleContext) -> Sample?

/// A fetch and the converters behind it, checked and ready; immutable, shared by all workers.
public final class SampleExpression: Sendable {
  struct Step: Sendable {
    let input: SampleType
    let body: ConverterBody
    let arguments: Arguments
  }

  let fetch: FetchEntry
  private let body: FetchBody
  private let each: FetchEach?
  private let arguments: Arguments
  private let steps: [Step]
  /// The type that comes out at the end.
  let type: SampleType
  /// As written, for messages and for comparing two expressions.
  public let text: String

  init(
    fetch: FetchEntry, body: @escaping FetchBody, each: FetchEach?, arguments: Arguments, steps: [Step],
    type: SampleType, text: String
  ) {
    self.fetch = fetch
    self.body = body
    self.each = each
    self.arguments = arguments
    self.steps = steps
    self.type = type
    self.text = text
  }

  /// Whether several occurrences may be looked at, one after the other.
  var isMultiple: Bool { each != nil }

  /// Whether two evaluations in a row without a rule in between give the same.
  var isStable: Bool { !fetch.isVolatile && !text.contains("set-var") && !text.contains("table") }

  public func evaluate(_ context: RuleContext) -> Sample? {
    guard var sample = body(context, arguments) else { return nil }
    for step in steps {
      guard let input = SampleExpression.prepare(sample, step.input),
        let output = step.body(input, step.arguments, context)
      else { return nil }
      sample = output
    }
    return sample
  }

  /// What the converters alone make of `text`, as octets.
  public func convert(_ text: Bytes, _ context: RuleContext) -> Bytes? {
    var sample = Sample.string(text)
    for step in steps {
      guard let input = SampleExpression.prepare(sample, step.input),
        let output = step.body(input, step.arguments, context)
      else { return nil }
      sample = output
    }
    guard case .binary(let octets)? = sample.cast(to: .binary) else { return nil }
    return octets
  }

  /// The text form of the value, or nil when there is none.
  public func evaluateText(_ context: RuleContext) -> Bytes? { evaluate(context)?.text }

  /// Each occurrence in turn until `body` answers true.
  func forEach(_ context: RuleContext, _ visit: (Sample) -> Bool) -> Bool {
    guard let each else { return evaluate(context).map(visit) ?? false }
    if steps.isEmpty { return each(context, arguments, visit) }
    return each(context, arguments) { first in
      var sample = first
      for step in steps {
        guard let input = SampleExpression.prepare(sample, step.input),
          let output = step.body(input, step.arguments, context)
        else { return false }
        sample = output
      }
      return visit(sample)
    }
  }

  @inline(__always)
  private static func prepare(_ sample: Sample, _ type: SampleType) -> Sample? {
    switch (type, sample) {
    case (.any, _), (.same, _), (.string, .string), (.int, .int), (.binary, .binary): sample
    default: sample.cast(to: type)
    }
  }
}
