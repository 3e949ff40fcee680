/// The JSON schema (draft 4) of what `show info json` and `show stat json` write.
enum StatSchema {
  static let text =
    ##"{"$schema":"http://json-schema.org/draft-04/schema#","anyOf":[\##(info),\##(stat),\##(error)],"##
    + ##""definitions":{"field":\##(field),"processNum":{"type":"integer","minimum":1},"tags":\##(tags),"##
    + ##""typedValue":\##(value)}}"##

  private static let common =
    ##""field":{"$ref":"#/definitions/field"},"processNum":{"$ref":"#/definitions/processNum"},"##
    + ##""tags":{"$ref":"#/definitions/tags"},"value":{"$ref":"#/definitions/typedValue"}"##

  private static let info =
    ##"{"title":"Info","type":"array","items":{"title":"InfoItem","type":"object","properties":{\##(common)},"##
    + ##""required":["field","processNum","tags","value"]}}"##

  /// One array for each proxy, server and listener.
  private static let stat =
    ##"{"title":"Stat","type":"array","items":{"type":"array","items":{"title":"StatItem","type":"object","##
    + ##""properties":{"objType":{"enum":["Frontend","Backend","Listener","Server"]},"proxyId":\##(natural),"##
    + ##""id":\##(natural),\##(common)},"required":["objType","proxyId","id","field","processNum","tags","value"]}}}"##

  private static let error =
    ##"{"title":"Error","type":"object","properties":{"errorStr":{"type":"string"}},"required":["errorStr"]}"##

  private static let natural = ##"{"type":"integer","minimum":0}"##

  private static let field =
    ##"{"type":"object","properties":{"pos":\##(natural),"name":{"type":"string"}},"required":["pos","name"]}"##

  private static let tags =
    ##"{"type":"object","properties":{"origin":\##(names(["Metric", "Status", "Key", "Config", "Product"])),"nature":"##
    + names(["Gauge", "Limit", "Max", "Rate", "Counter", "Duration", "Age", "Time", "Name", "Output", "Avg"])
    + ##","scope":\##(names(["Process", "Service"]))},"required":["origin","nature","scope"]}"##

  private static let value =
    ##"{"type":"object","oneOf":["##
    + integer("s32", "-2147483648", "2147483647") + "," + integer("u32", "0", "4294967295") + ","
    + integer("u64", "0", "18446744073709551615")
    + ##",{"properties":{"type":{"enum":["str"]},"value":{"type":"string"}},"required":["type","value"]}]}"##

  private static func names(_ values: [String]) -> String {
    ##"{"type":"string","enum":["## + values.map { ##""\##($0)""## }.joined(separator: ",") + "]}"
  }

  private static func integer(_ name: String, _ least: String, _ most: String) -> String {
    ##"{"properties":{"type":{"enum":["\##(name)"]},"value":{"type":"integer","minimum":\##(least),"##
      + ##""maximum":\##(most)}},"required":["type","value"]}"##
  }
}
