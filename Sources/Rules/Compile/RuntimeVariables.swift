public import Base
import Config
import Synchronization

/// The names of variables, for looking at them and setting them while the process runs (`get var`, `set var`).
public final class RuntimeVariables: Sendable {
  private let names: Mutex<VariableNames>
  private let values: ProcessVariables

  init(_ names: VariableNames, _ values: ProcessVariables) {
    self.names = Mutex(names)
    self.values = values
  }

  /// What `get var` shows of a variable of the process: its type and value; nil when it is not set.
  public func describe(_ name: String) -> String? {
    guard let variable = names.withLock({ $0.known(Bytes(name)) }), variable.scope == .proc else {
      return nil
    }
    guard let value = values[variable.id] else { return nil }
    let bytes = value.text
    let isText = (0..<bytes.count).allSatisfy { bytes[$0] >= 32 && bytes[$0] < 127 }
    if case .binary = value, !isText {
      return
        "\(name): type=\(value.type.rawValue) value=<\(String(decoding: Hexadecimal.encode(bytes), as: UTF8.self))>"
    }
    return "\(name): type=\(value.type.rawValue) value=<\(bytes.string)>"
  }

  /// Compiles the expression of a server that is added while the process runs (`sni`). It knows all variables, but no
  /// table, map or list.
  public func serverExpression(_ text: Bytes) -> (expression: SampleExpression?, problem: String?) {
    let diagnostics = Diagnostics()
    let shared = SharedScope(configuration: Configuration(), diagnostics: diagnostics) { _ in nil }
    let scope = CompileScope(
      configuration: Configuration(), diagnostics: diagnostics, shared: shared, proxyIndex: -1)
    scope.place = .serverConnection
    return names.withLock { names in
      shared.variables = names
      do throws(RuleError) {
        let expression = try ExpressionParser.parse(text, scope: scope)
        names = shared.variables
        return (expression, nil)
      } catch {
        return (nil, error.message)
      }
    }
  }

  /// Sets a variable of the process to an expression or, with `isFormat`, to a log format; what is wrong with it.
  public func set(
    _ name: String, _ text: String, isFormat: Bool, _ environment: any ProxyEnvironment, _ now: Now
  )
    -> String?
  {
    let diagnostics = Diagnostics()
    let shared = SharedScope(configuration: Configuration(), diagnostics: diagnostics) { _ in nil }
    let scope = CompileScope(
      configuration: Configuration(), diagnostics: diagnostics, shared: shared, proxyIndex: -1)
    scope.place = .commandLine
    return names.withLock { names -> String? in
      shared.variables = names
      do throws(RuleError) {
        let variable = try shared.variables.variable(Bytes(name))
        guard variable.scope == .proc else { return "Only variables of the scope 'proc' can be set." }
        let context = RuleContext(
          connection: ConnectionFacts(source: .none, destination: .none, accepted: now),
          environment: environment,
          now: now)
        context.processVariables = values
        let value: Sample?
        if isFormat {
          value = .string(Bytes(try LogFormatParser.plain(Bytes(text), scope: scope).rendered(context)))
        } else {
          value = try ExpressionParser.parse(Bytes(text), scope: scope).evaluate(context)
        }
        if let value { values[variable.id] = value }
        names = shared.variables
        values.name(names.names)
        return nil
      } catch {
        return error.message
      }
    }
  }
}
