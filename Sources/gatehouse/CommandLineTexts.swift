import Config

/// What the program prints about itself.
enum CommandLineTexts {
  /// `-v`: the first line is read by tools.
  static func version(_ form: CommandLineOptions.VersionForm) -> String {
    let line = "HAProxy version \(Build.haproxyVersion) \(Build.date) - gatehouse \(Build.version)\n"
    switch form {
    case .normal: return line + "Status: speaks HAProxy's configuration language up to 3.5.\n"
    case .version: return Build.haproxyVersion + "\n"
    case .short: return "3.5\n"
    case .branch: return "3.5\n"
    case .details: return line + details
    }
  }

  private static var details: String {
    let enabled = Build.features.sorted().map { "USE_\($0)=1" }.joined(separator: " ")
    return """
      Status: speaks HAProxy's configuration language up to 3.5.
      Build options :
        TARGET  = linux-glibc
        OPTIONS = \(enabled)

      Feature list : \(Build.featureList)

      Default settings :
        bufsize = 16384, maxrewrite = 1024, maxpollevents = 200

      Built with multi-threading support.
      Built with SSL library version : \(Build.tlsLibraryName)
      SSL library supports TLS extensions : yes
      SSL library supports SNI : yes
      SSL library supports : TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3
      Built with transparent proxy support using: IP_TRANSPARENT IPV6_TRANSPARENT IP_FREEBIND
      Encrypted password support via crypt(3): yes

      Available polling systems :
            epoll : pref=300,  test result OK
      Total: 1 (1 usable), will use epoll.

      """
  }

  static func usage(_ program: String) -> String {
    """
    Usage : \(program) [-f <cfgfile|cfgdir>]* [ -vdVD ] [ -n <maxconn> ] [ -N <maxpconn> ]
            [ -p <pidfile> ] [ -C <dir> ] [-- <cfgfile>*]
            -v shows the version ; -vv what it was built with ; -vq, -vqs, -vqb the bare version
            -f <file|dir> : a configuration file, or a directory whose *.cfg are read in order
            -c : check the configuration and end ; -cc <condition> : evaluate a condition and end
            --format json : diagnostics as JSON, one object a line
            -d : debug mode, in the foreground ; -db : only stay in the foreground
            -D : run in the background ; -W : master and workers ; -Ws : and tell systemd
            -C <dir> : change to this directory first
            -q : say nothing ; -V : say more
            -p <file> : write the process id here
            -n <number> : the most connections ; -N <number> : the default of each proxy
            -m <MiB> : limit the memory
            -L <name> : the name among peers
                -x <socket> : taken; listeners are shared with the old process anyway
            -sf/-st [<pid>...] : ask old processes to finish, or end them
            -dW : warnings are fatal ; -dD : name suspicious lines
            -dr : servers whose names do not resolve start without an address
            -dS : copy bodies, pass none through pipes
            -dV : do not verify certificates of servers
            -dK<class>[,...] : list the known keywords, see -dKhelp
            -4 -dM -dI -dR -dG -dF -dZ -dL -de -dp : taken and of no effect

    """
  }
}
