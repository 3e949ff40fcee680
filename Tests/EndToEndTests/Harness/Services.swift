import Foundation

/// Real servers on private ports and directories, each a process of its own that the test ends.
enum Services {
  /// nginx that answers every request with its name, and `/statshaproxy` and all else alike.
  static func nginx(
    _ name: String, host: String = "127.0.0.1", port: Int? = nil, options: String = "", in workspace: Workspace
  ) throws -> (child: Child, port: Int) {
    let port = try port ?? Ports.free()
    let folder = try workspace.directory("nginx-\(name)")
    let file = try workspace.write(
      "nginx-\(name)/nginx.conf",
      """
      daemon off;
      master_process off;
      pid \(folder)/pid;
      error_log \(folder)/error.log;
      events { worker_connections 256; }
      http {
        access_log off;
        client_body_temp_path \(folder)/body;
        proxy_temp_path \(folder)/proxy;
        fastcgi_temp_path \(folder)/fastcgi;
        uwsgi_temp_path \(folder)/uwsgi;
        scgi_temp_path \(folder)/scgi;
        server {
          listen \(host):\(port)\(options);
          location / { default_type text/plain; add_header X-Proto "$http_x_forwarded_proto"; return 200 "\(name)"; }
        }
      }

      """)
    let child = try Child(["nginx", "-c", file, "-p", folder, "-e", "\(folder)/error.log"], in: workspace)
    if host == "127.0.0.1" { try serves(port, child) }
    return (child, port)
  }

  /// dnsmasq that knows the names of a hosts file, read again on SIGHUP.
  static func dnsmasq(hosts: String, _ options: [String] = [], in workspace: Workspace) throws -> (
    child: Child, port: Int
  ) {
    let port = try Ports.free()
    let child = try Child(
      [
        "dnsmasq", "-k", "-p", "\(port)", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root",
        "--addn-hosts=\(hosts)", "--listen-address=127.0.0.1", "--bind-interfaces", "--local=/test/",
        "--pid-file=",
      ] + options, in: workspace)
    // It listens on TCP too.
    try serves(port, child)
    return (child, port)
  }

  /// slapd with one entry, over TLS only.
  static func slapd(
    _ name: String, port: Int? = nil, bundle: (bundle: String, certificate: String, key: String),
    authority: String,
    in workspace: Workspace
  ) throws -> (child: Child, port: Int) {
    let port = try port ?? Ports.free()
    let folder = try workspace.directory("slapd-\(name)")
    let isNew = !FileManager.default.fileExists(atPath: folder + "/db")
    try workspace.directory("slapd-\(name)/db")
    let file = try workspace.write(
      "slapd-\(name)/slapd.conf",
      """
      include /etc/ldap/schema/core.schema
      modulepath /usr/lib/ldap
      moduleload back_mdb
      pidfile \(folder)/pid
      TLSCACertificateFile \(authority)
      TLSCertificateFile \(bundle.certificate)
      TLSCertificateKeyFile \(bundle.key)
      database mdb
      suffix "dc=test"
      directory \(folder)/db

      """)
    let entry = try workspace.write(
      "slapd-\(name)/entry.ldif",
      "dn: dc=test\nobjectClass: dcObject\nobjectClass: organization\ndc: test\no: served by \(name)\n")
    if isNew { try Tool.succeed(["slapadd", "-f", file, "-l", entry], in: workspace) }
    let child = try Child(
      ["slapd", "-f", file, "-h", "ldaps://127.0.0.1:\(port)/", "-d", "0"], in: workspace)
    try serves(port, child)
    return (child, port)
  }

  /// sshd that lets this user in with the key that it returns.
  static func sshd(in workspace: Workspace) throws -> (child: Child, port: Int, identity: String) {
    let port = try Ports.free()
    let identity = workspace.path("id")
    for key in [identity, workspace.path("host")] {
      try Tool.succeed(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], in: workspace)
    }
    let folder = try workspace.directory("ssh", mode: 0o700)
    try workspace.write("ssh/authorized_keys", Workspace.read(identity + ".pub"), mode: 0o600)
    // Where sshd gives up its privileges; Debian's service makes it at boot.
    if getuid() == 0 { mkdir("/run/sshd", 0o755) }
    let file = try workspace.write(
      "sshd_config",
      """
      ListenAddress 127.0.0.1:\(port)
      HostKey \(workspace.path("host"))
      AuthorizedKeysFile \(folder)/authorized_keys
      PasswordAuthentication no
      UsePAM no
      StrictModes no
      PidFile \(workspace.path("sshd.pid"))

      """)
    let child = try Child(["/usr/sbin/sshd", "-D", "-e", "-f", file], in: workspace)
    try serves(port, child)
    return (child, port, identity)
  }

  static func redis(in workspace: Workspace) throws -> (child: Child, port: Int) {
    let port = try Ports.free()
    let folder = try workspace.directory("redis-\(port)")
    let child = try Child(
      [
        "redis-server", "--bind", "127.0.0.1", "--port", "\(port)", "--dir", folder, "--save", "",
        "--appendonly",
        "no",
      ], in: workspace)
    try serves(port, child)
    return (child, port)
  }

  /// MariaDB with no more than its system tables, open to everybody on its port.
  static func mariadb(
    _ name: String, port: Int? = nil, options: [String] = [], in workspace: Workspace
  ) throws -> (child: Child, port: Int) {
    let port = try port ?? Ports.free()
    let folder = workspace.path("mariadb-\(name)")
    let account = getuid() == 0 ? ["--user=root"] : []
    if !FileManager.default.fileExists(atPath: folder) {
      try Tool.succeed(
        [
          "mariadb-install-db", "--no-defaults", "--datadir=\(folder)",
          "--auth-root-authentication-method=normal",
          "--skip-test-db", "--skip-name-resolve",
        ] + account, in: workspace, within: 60)
    }
    let child = try Child(
      [
        "mariadbd", "--no-defaults", "--datadir=\(folder)", "--bind-address=127.0.0.1", "--port=\(port)",
        "--socket=\(workspace.path("\(name).sock"))", "--pid-file=\(folder)/pid", "--skip-grant-tables",
        "--skip-networking=0", "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0",
        "--skip-name-resolve", "--max-connect-errors=1000000",
      ] + options + account, in: workspace)
    try serves(port, child)
    return (child, port)
  }

  /// postfix that delivers what comes for `mail.test` into a maildir.
  static func postfix(maildir: String, owner: Account, in workspace: Workspace) throws -> (
    child: Child, port: Int
  ) {
    guard let mail = Account("postfix") else { throw Failure("there is no user 'postfix'") }
    let port = try Ports.free()
    let folder = try workspace.directory("postfix")
    try workspace.directory("postfix/queue")
    try workspace.directory("postfix/data", owner: mail)
    try workspace.write(
      "postfix/main.cf",
      """
      compatibility_level = 3.6
      queue_directory = \(folder)/queue
      data_directory = \(folder)/data
      command_directory = /usr/sbin
      daemon_directory = /usr/lib/postfix/sbin
      mail_owner = postfix
      setgid_group = postdrop
      inet_interfaces = 127.0.0.1
      inet_protocols = ipv4
      myhostname = mx.mail.test
      mydestination =
      mynetworks = 127.0.0.0/8
      virtual_mailbox_domains = mail.test
      virtual_mailbox_base = \(maildir)
      virtual_mailbox_maps = static:user/
      virtual_minimum_uid = 1
      virtual_uid_maps = static:\(owner.user)
      virtual_gid_maps = static:\(owner.group)
      maillog_file = \(folder)/log
      maillog_file_prefixes = \(folder)

      """)
    try workspace.write(
      "postfix/master.cf",
      """
      127.0.0.1:\(port) inet n - n - - smtpd
      postlog unix-dgram n - n - 1 postlogd
      pickup unix n - n 60 1 pickup
      cleanup unix n - n - 0 cleanup
      qmgr unix n - n 300 1 qmgr
      rewrite unix - - n - - trivial-rewrite
      bounce unix - - n - 0 bounce
      defer unix - - n - 0 bounce
      trace unix - - n - 0 bounce
      verify unix - - n - 1 verify
      flush unix n - n 1000? 0 flush
      proxymap unix - - n - - proxymap
      error unix - - n - - error
      retry unix - - n - - error
      discard unix - - n - - discard
      virtual unix - n n - - virtual
      anvil unix - - n - 1 anvil
      scache unix - - n - 1 scache

      """)
    let child = try Child(["postfix", "-c", folder, "start-fg"], in: workspace)
    try serves(port, child)
    return (child, port)
  }

  /// Ends postfix, whose master leaves the group in which it was started.
  static func stopPostfix(in workspace: Workspace) {
    let text = Workspace.read(workspace.path("postfix/queue/pid/master.pid"))
    guard let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else { return }
    kill(pid, SIGTERM)
    _ = Clock.until(within: 5) { kill(pid, 0) != 0 }
  }

  /// dovecot that serves a maildir over IMAP to everybody with the password `secret`.
  static func dovecot(maildir: String, owner: Account, in workspace: Workspace) throws -> (
    child: Child, port: Int
  ) {
    let port = try Ports.free()
    let folder = try workspace.directory("dovecot")
    let file = try workspace.write(
      "dovecot/dovecot.conf",
      """
      base_dir = \(folder)/run
      log_path = \(folder)/log
      protocols = imap
      listen = 127.0.0.1
      ssl = no
      disable_plaintext_auth = no
      mail_location = maildir:\(maildir)/user
      first_valid_uid = 1
      first_valid_gid = 1
      passdb {
        driver = static
        args = password=secret
      }
      userdb {
        driver = static
        args = uid=\(owner.user) gid=\(owner.group) home=\(maildir)
      }
      service imap-login {
        inet_listener imap {
          address = 127.0.0.1
          port = \(port)
        }
        inet_listener imaps {
          port = 0
        }
      }

      """)
    let child = try Child(["dovecot", "-F", "-c", file], in: workspace)
    try serves(port, child)
    return (child, port)
  }

  private static func serves(_ port: Int, _ child: Child) throws {
    let serves = Clock.until(within: 40) { child.exitStatus != nil || (try? Connection(port: port)) != nil }
    guard serves, child.exitStatus == nil else {
      throw Failure("\(child.name) does not serve: \(child.output) \(child.errors)")
    }
  }
}
