/// What the command line asks for, flag by flag as HAProxy's management guide (chapter 3) names them.
struct CommandLineOptions: Equatable {
  enum Action: Equatable {
    case run
    /// `-c`.
    case check
    /// `-cc <condition>`.
    case evaluate(String)
    /// `-v`, `-vv`, `-vq`, `-vqs`, `-vqb`.
    case showVersion(VersionForm)
    case help
  }
  enum VersionForm: Equatable { case normal, details, version, short, branch }
  enum OutputFormat: String, Equatable { case text, json }

  var action = Action.run
  /// `-f` and what stands behind `--`, in order.
  var configurations: [String] = []
  /// `-C`: changed to before anything is loaded.
  var directory: String?
  /// `-D`.
  var daemon = false
  /// `-db`: stay in the foreground whatever the configuration says.
  var foreground = false
  /// `-d`: debug mode, in the foreground.
  var debug = false
  /// `-W` and `-Ws`.
  var masterWorker = false
  /// `-Ws`: tell systemd.
  var notifiesSystemd = false
  /// `-S`: where the master answers.
  var masterSocket: String?
  var quiet = false
  var verbose = false
  var pidfile: String?
  /// `-n`.
  var maxConnections: Int?
  /// `-N`: the default of proxies.
  var maxConnectionsPerProxy: Int?
  /// `-m`, in MiB.
  var memoryLimit: Int?
  /// `-L`.
  var localPeer: String?
  /// `-st`: terminate these processes.
  var terminate: [Int32] = []
  /// `-sf`: ask these processes to finish.
  var finish: [Int32] = []
  /// `-dW`: warnings are fatal.
  var warningsAreFatal = false
  /// `-dD`: suspicious statements are named.
  var diagnosticMode = false
  /// `-dK<class>[,...]`.
  var keywordDump: [String] = []
  /// `-dr`: names of servers that do not resolve are no error.
  var ignoresUnresolvable = false
  /// `-dS`: no body passes through a pipe.
  var copiesBodies = false
  /// `-dV`: certificates of servers are not verified.
  var skipsServerVerification = false
  /// Flags that were taken and change nothing.
  var withoutEffect: [String] = []
  /// `--format json`: diagnostics as one object a line.
  var format = OutputFormat.text

  /// Why a command line cannot be taken; the text follows the program's name.
  struct Failure: Error, Equatable {
    var message: String
    /// Show how the program is called as well.
    var showsUsage = true
  }
}
