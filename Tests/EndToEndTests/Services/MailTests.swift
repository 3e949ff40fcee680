import Foundation
import Testing

extension EndToEnd {
  @Suite(
    "mail through the gateway",
    .enabled(if: getuid() == 0 && Tool.has("postfix", "dovecot"), "needs root, postfix and dovecot"))
  struct Mail {
    @Test("a message goes in by SMTP to postfix and is read by IMAP from dovecot")
    func delivered() throws {
      let workspace = try Workspace()
      let owner = try #require(Account("mail"))
      let maildir = try workspace.directory("mail", owner: owner)
      let postfix = try Services.postfix(maildir: maildir, owner: owner, in: workspace)
      defer { Services.stopPostfix(in: workspace) }
      let dovecot = try Services.dovecot(maildir: maildir, owner: owner, in: workspace)
      let smtp = try Ports.free()
      let imap = try Ports.free()
      let gateway = try RunningGateway(
        """
        defaults
          mode tcp
          timeout connect 5s
          timeout client 30s
          timeout server 30s
        listen smtp
          bind 127.0.0.1:\(smtp)
          option smtpchk
          server mx 127.0.0.1:\(postfix.port) check
        listen imap
          bind 127.0.0.1:\(imap)
          server store 127.0.0.1:\(dovecot.port)

        """, listening: [smtp, imap], in: workspace)

      let message =
        "From: a@mail.test\r\nTo: user@mail.test\r\nSubject: through\r\n\r\nSent through the gateway.\r\n"
      try workspace.write("message", message)
      try Tool.succeed(
        [
          "curl", "-sS", "--max-time", "15", "smtp://127.0.0.1:\(smtp)/client.test", "--mail-from",
          "a@mail.test",
          "--mail-rcpt", "user@mail.test", "-T", workspace.path("message"),
        ], in: workspace)
      let inbox = "imap://127.0.0.1:\(imap)/INBOX;MAILINDEX=1"
      let arrived = try Clock.until(within: 20) {
        try Tool.curl(["-u", "user:secret", inbox], in: workspace).output.contains(
          "Sent through the gateway.")
      }
      #expect(arrived, "\(Workspace.read(workspace.path("postfix/log")))")
      withExtendedLifetime((gateway, postfix.child, dovecot.child)) {}
    }
  }
}
