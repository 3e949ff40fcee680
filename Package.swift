// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  .treatAllWarnings(as: .error),
  // Debug builds, which the tests run, check exclusive access at run time; a release build would spend 8 % of its
  // CPU per request on it.
  .unsafeFlags(
    ["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// The layers, lowest first; `Tests/ArchitectureTests` holds every target to the imports named here.
let package = Package(
  name: "gatehouse",
  products: [.executable(name: "gatehouse", targets: ["gatehouse"])],
  targets: [
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .target(name: "Base", swiftSettings: settings),
    .target(name: "Config", dependencies: ["Base"], swiftSettings: settings),
    .target(name: "HTTP", dependencies: ["Base", "CNghttp2"], swiftSettings: settings),
    .target(name: "TLS", dependencies: ["Base", "COpenSSL"], swiftSettings: settings),
    .target(name: "NetIO", dependencies: ["Base", "CLinux"], swiftSettings: settings),
    .target(name: "Rules", dependencies: ["Base", "Config", "HTTP", "TLS"], swiftSettings: settings),
    .target(
      name: "Proxy", dependencies: ["Base", "Config", "HTTP", "TLS", "NetIO", "Rules"],
      swiftSettings: settings),
    .executableTarget(
      name: "gatehouse",
      dependencies: ["Base", "Config", "HTTP", "TLS", "NetIO", "Rules", "Proxy"],
      swiftSettings: settings,
      linkerSettings: [.unsafeFlags(["-static-stdlib"], .when(configuration: .release))]),
    .testTarget(name: "BaseTests", dependencies: ["Base"], swiftSettings: settings),
    .testTarget(name: "ConfigTests", dependencies: ["Base", "Config"], swiftSettings: settings),
    .testTarget(name: "HTTPTests", dependencies: ["Base", "HTTP", "CNghttp2"], swiftSettings: settings),
    .testTarget(name: "TLSTests", dependencies: ["Base", "TLS"], swiftSettings: settings),
    .testTarget(name: "NetIOTests", dependencies: ["Base", "NetIO"], swiftSettings: settings),
    .testTarget(
      name: "RulesTests", dependencies: ["Base", "Config", "HTTP", "TLS", "Rules"],
      swiftSettings: settings),
    .testTarget(
      name: "ProxyTests",
      dependencies: ["Base", "Config", "HTTP", "TLS", "NetIO", "Rules", "Proxy"],
      swiftSettings: settings),
    .testTarget(name: "ArchitectureTests", swiftSettings: settings),
    .testTarget(
      name: "EndToEndTests", dependencies: ["gatehouse"],
      exclude: ["Configurations"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
