import Base

/// Message bodies, as far as they are buffered.
enum BodyFetches {
  static let table: [FetchEntry] = [
    FetchEntry("req.body", .none, .binary, .requestData) { context, _ in .binary(context.requestBody) },
    FetchEntry("req.body_len", .none, .int, .requestData) { context, _ in
      .int(Int64(context.requestBody.count))
    },
    FetchEntry("req.body_size", .none, .int, .requestData) { context, _ in
      .int(Int64(context.requestContentLength ?? context.requestBody.count))
    },
    FetchEntry(
      "req.body_param", .optional(.string, .string), .binary, .requestData,
      each: { context, a, visit in
        QueryText.forEach(context.requestBody, named: a.string(0), foldingCase: a.string(1) == "i") {
          visit(.string($0))
        }
      }
    ) { context, a in
      var found: Bytes?
      _ = QueryText.forEach(context.requestBody, named: a.string(0), foldingCase: a.string(1) == "i") {
        found = $0
        return true
      }
      return found.map(Sample.string)
    },
    FetchEntry("res.body", .none, .binary, .responseData) { context, _ in .binary(context.responseBody) },
    FetchEntry("res.body_len", .none, .int, .responseData) { context, _ in
      .int(Int64(context.responseBody.count))
    },
    FetchEntry("res.body_size", .none, .int, .responseData) { context, _ in
      .int(Int64(context.responseContentLength ?? context.responseBody.count))
    },
  ]
}
