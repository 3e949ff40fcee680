public import Base

/// Dates of HTTP (RFC 9110 section 5.6.7) in their three forms.
public enum HTTPDate {
  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]

  /// Seconds since 1970; nil for anything else.
  public static func parse(_ text: Bytes) -> Int64? {
    let words = text.string.lowercased().split { " ,-".contains($0) }.map(String.init)
    guard words.count >= 5 else { return nil }
    if words.count >= 6, let day = Int64(words[1]), var year = Int64(words[3]) {
      // "Sunday, 06-Nov-94" has two digits for the year.
      if words[3].count == 2 { year += year < 70 ? 2000 : 1900 }
      return seconds(year, words[2], day, words[4])
    }
    guard let day = Int64(words[2]), let year = Int64(words[4]) else { return nil }
    return seconds(year, words[1], day, words[3])
  }

  private static func seconds(_ year: Int64, _ month: String, _ day: Int64, _ clock: String) -> Int64? {
    let parts = clock.split(separator: ":").compactMap { Int64($0) }
    guard let month = months.firstIndex(of: month), parts.count == 3, (1970...9999).contains(year),
      (1...31).contains(day), (0...23).contains(parts[0]), (0...59).contains(parts[1]),
      (0...60).contains(parts[2])
    else { return nil }
    return days(year, Int64(month) + 1, day) * 86400 + parts[0] * 3600 + parts[1] * 60 + parts[2]
  }

  /// Days since 1970 of a date of the Gregorian calendar.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
